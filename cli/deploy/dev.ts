import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import type { Command } from "commander";
import { CommandError } from "../../node/errors.ts";
import { packagePath } from "../../node/package.ts";
import { parseWholeNumber } from "../arguments.ts";

const HIGHEST_PORT = 65_535;

async function dev({ port }: { readonly port: number }): Promise<void> {
  const script = packagePath("scripts/start.mjs");
  if (!existsSync(script)) {
    throw new CommandError(
      "The Worker's source is not here.",
      "Start it in the project's own folder; the package has only client, engine and commands.",
    );
  }
  const child = spawn(process.execPath, [script], { stdio: "inherit", env: { ...process.env, PORT: String(port) } });
  // Ctrl-C reaches both; the Worker ends in its own way, and this process with it.
  process.on("SIGINT", () => {});
  const [code] = await once(child, "close");
  process.exitCode = code ?? 1;
}

/** `xpeft dev`: what `npm start` does. */
export function registerDev(program: Command): void {
  program
    .command("dev")
    .description("serve on localhost, with a local database and the demo's tasks; the same as npm start")
    .option("--port <port>", "where", parseWholeNumber(1, HIGHEST_PORT), 8787)
    .action(dev);
}
