import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { CommandError } from "../../node/errors.ts";

/** Runs wrangler for one environment of a deploy. */
export interface Wrangler {
  /** Runs a command and returns its standard output. @throws CommandError if it fails */
  run(args: readonly string[], input?: string): Promise<string>;
  /** Runs a command and parses its JSON output. @throws CommandError if it fails, or the output is different */
  readJson<T>(schema: z.ZodType<T>, args: readonly string[]): Promise<T>;
  /** Uploads the Worker, with wrangler's output shown, and returns the Worker's addresses. */
  deploy(): Promise<string[]>;
}

/** Settings that keep wrangler from asking questions and from sending usage data. */
const QUIET = {
  CI: "true",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_WRITE_LOGS: "false",
};

/** A line of the file WRANGLER_OUTPUT_FILE_PATH. Only the event of a deploy has targets. */
const eventSchema = z.object({ targets: z.array(z.string()).optional() });

/** Returns a wrangler command as a person would type it. */
export function shellCommand(args: readonly string[], environment: string): string {
  const allArgs = environment === "" ? args : [...args, "--env", environment];
  return ["npx wrangler", ...allArgs.map((arg) => (/^[\w./=:@-]+$/.test(arg) ? arg : JSON.stringify(arg)))].join(" ");
}

interface RunOptions {
  /** Whether to copy standard output to standard error as it arrives. */
  readonly show?: boolean;
  /** Text for standard input. */
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Returns a runner of wrangler.
 *
 * @param environment name of an environment in wrangler.toml; empty for production, which is at the top of the file
 */
export function createWrangler(environment: string): Wrangler {
  async function run(args: readonly string[], { show = false, input = "", env = {} }: RunOptions = {}) {
    // Wrangler's package.json does not export its command.
    const script = join(dirname(createRequire(import.meta.url).resolve("wrangler")), "../bin/wrangler.js");
    const child = spawn(process.execPath, [script, ...args, "--env", environment], {
      env: { ...process.env, ...QUIET, ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    if (show) child.stdout.on("data", (chunk) => process.stderr.write(chunk));
    child.stdin.end(input);
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    if (code === 0) return stdout;
    throw new CommandError(
      `${shellCommand(args, environment)} failed:\n${stderr.trim() || stdout.trim()}`,
      "Fix the cause and run the same command again. It continues: completed steps are not repeated.",
    );
  }

  return {
    run: (args, input = "") => run(args, { input }),
    async readJson(schema, args) {
      const stdout = await run(args);
      try {
        return schema.parse(JSON.parse(stdout));
      } catch (cause) {
        const message = `${shellCommand(args, environment)} printed JSON of an unknown form.`;
        throw new CommandError(message, "Install the locked version of wrangler: npm ci", { cause });
      }
    },
    async deploy() {
      const folder = await mkdtemp(join(tmpdir(), "xpeft-deploy-"));
      const path = join(folder, "events.ndjson");
      try {
        await run(["deploy"], { show: true, env: { WRANGLER_OUTPUT_FILE_PATH: path } });
        const events = (await readFile(path, "utf8")).split("\n").filter((line) => line !== "");
        return events.flatMap((line) => eventSchema.parse(JSON.parse(line)).targets ?? []);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}
