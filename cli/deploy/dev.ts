import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import type { Command } from "commander";
import { CommandError } from "../../node/errors.ts";
import { packagePath } from "../../node/package.ts";
import { parseWholeNumber } from "../arguments.ts";
import { type DatabaseOptions, persistToOption } from "../options.ts";

const MAX_PORT = 65_535;
const DEFAULT_PORT = 8787;

interface DevOptions extends DatabaseOptions {
  readonly port: number;
}

async function dev({ port, persistTo }: DevOptions): Promise<void> {
  const script = packagePath("scripts/start.mjs");
  if (!existsSync(script)) {
    throw new CommandError(
      "The Worker's source code is not part of the npm package.",
      "Serve on Node, with xpeft serve --demo. Or clone the project, and run this command in its folder.",
    );
  }
  const database = persistTo === undefined ? [] : ["--persist-to", persistTo];
  const child = spawn(process.execPath, [script, "--port", String(port), ...database], { stdio: "inherit" });
  // The terminal sends Ctrl-C to both processes. This one stays until the Worker has shut down.
  process.on("SIGINT", () => {});
  const [code] = await once(child, "close");
  process.exitCode = code ?? 1;
}

/** `xpeft dev`: serves locally, as `npm start` does. */
export function registerDev(program: Command): void {
  program
    .command("dev")
    .description("serve on localhost with a local database and the demo's tasks, as npm start does")
    .option("--port <port>", `port to listen on, 1 to ${MAX_PORT}`, parseWholeNumber(1, MAX_PORT), DEFAULT_PORT)
    .addOption(persistToOption())
    .action(dev);
}
