import tab from "@bomb.sh/tab/commander";
import type { Command } from "commander";

/** Adds `xpeft completion SHELL`, which prints a completion script. Add it last: it completes the commands added before. */
export function registerCompletion(program: Command): void {
  tab(program, { completionCommandName: "completion" });
}
