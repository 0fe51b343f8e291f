import tab from "@bomb.sh/tab/commander";
import type { Command } from "commander";

/** `xpeft completion SHELL`: a script by which a shell completes commands and options. All other commands must be there already. */
export function registerCompletion(program: Command): void {
  tab(program, { completionCommandName: "completion" });
}
