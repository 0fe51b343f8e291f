import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { CommandError } from "../../node/errors.ts";

/** How wrangler is run for one environment of a deploy. */
export interface Wrangler {
  /** Runs a command; gives what it said. @throws CommandError if it fails */
  run(args: readonly string[], input?: string): Promise<string>;
  /** Runs a command that answers in JSON. @throws CommandError if it fails, or answers something else */
  read<T>(schema: z.ZodType<T>, args: readonly string[]): Promise<T>;
  /** Uploads the Worker, shown as it goes; gives the addresses that it answers at. */
  deploy(): Promise<string[]>;
}

/** It asks nothing, and tells Cloudflare nothing that was not asked for. */
const QUIET = {
  CI: "true",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_WRITE_LOGS: "false",
};

/** What wrangler writes to WRANGLER_OUTPUT_FILE_PATH, a line an event; only a deploy has targets. */
const eventSchema = z.object({ targets: z.array(z.string()).optional() });

/** A command as a person would type it. */
export function shellCommand(args: readonly string[], environment: string): string {
  const named = environment === "" ? args : [...args, "--env", environment];
  return ["npx wrangler", ...named.map((part) => (/^[\w./=:@-]+$/.test(part) ? part : JSON.stringify(part)))].join(" ");
}

/** Runs wrangler for an environment of wrangler.toml; an empty name is the top one, which is production. */
export function createWrangler(environment: string): Wrangler {
  async function spawned(
    args: readonly string[],
    { shown = false, input = "", env = {} }: { shown?: boolean; input?: string; env?: NodeJS.ProcessEnv } = {},
  ): Promise<string> {
    // Its package names no way to its own command.
    const script = join(dirname(createRequire(import.meta.url).resolve("wrangler")), "../bin/wrangler.js");
    const child = spawn(process.execPath, [script, ...args, "--env", environment], {
      env: { ...process.env, ...QUIET, ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    if (shown) child.stdout.on("data", (chunk) => process.stderr.write(chunk));
    child.stdin.end(input);
    const [said, complained, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "close"),
    ]);
    if (code === 0) return said;
    throw new CommandError(
      `${shellCommand(args, environment)} failed:\n${complained.trim() || said.trim()}`,
      "What was done before stays. Mend it, and run the same again: what is there already is found and left.",
    );
  }

  return {
    run: (args, input = "") => spawned(args, { input }),
    async read(schema, args) {
      const said = await spawned(args);
      try {
        return schema.parse(JSON.parse(said));
      } catch (cause) {
        const message = `${shellCommand(args, environment)} answered in no known form.`;
        throw new CommandError(message, "Is wrangler of the version that is locked? npm ci installs it.", { cause });
      }
    },
    async deploy() {
      const folder = await mkdtemp(join(tmpdir(), "xpeft-deploy-"));
      const path = join(folder, "events.ndjson");
      try {
        await spawned(["deploy"], { shown: true, env: { WRANGLER_OUTPUT_FILE_PATH: path } });
        const lines = (await readFile(path, "utf8")).split("\n").filter((line) => line !== "");
        return lines.flatMap((line) => eventSchema.parse(JSON.parse(line)).targets ?? []);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}
