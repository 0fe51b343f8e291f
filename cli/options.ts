import { type Command, Option } from "commander";
import type { Scope } from "../src/auth/access.ts";
import { LOCAL_URL, parseKey, parsePrefix, parseUrl, parseWholeNumber } from "./arguments.ts";

/** Where a running Worker is, and the key to send. */
export interface WorkerOptions {
  readonly url: string;
  readonly key?: string;
}

/** Whether to print JSON. */
export interface OutputOptions {
  readonly json?: boolean;
}

/** Options of a command that asks a running Worker and prints its answer. */
export type WorkerOutputOptions = WorkerOptions & OutputOptions;

/** Which database a command uses: that of `xpeft serve`, or the local one of `wrangler dev`. */
export interface DatabaseOptions {
  readonly database?: string;
  readonly persistTo?: string;
}

/**
 * Returns the option `--key`.
 *
 * @param scopes the scopes that the command needs
 * @param condition when the key is used, such as "with --url: "
 */
export function keyOption(scopes: readonly Scope[], condition = ""): Option {
  const noun = scopes.length === 1 ? "scope" : "scopes";
  const optional = scopes.join() === "predict" ? "; not needed where predictions are public" : "";
  const description = `${condition}API key with the ${noun} ${scopes.join(" and ")}${optional}`;
  return new Option("--key <key>", description).env("XPEFT_KEY").argParser(parseKey);
}

/** Returns the option `--url`. */
export function urlOption(description: string): Option {
  return new Option("--url <url>", description).argParser(parseUrl);
}

/** Adds `--url` and `--key`, which every command has that talks to a running Worker. */
export function addWorkerOptions(command: Command, scopes: readonly Scope[]): Command {
  return command
    .addOption(urlOption("address of the Worker").env("XPEFT_URL").default(LOCAL_URL))
    .addOption(keyOption(scopes));
}

/** Returns the address of the Worker that a command talks to, for errors; undefined if it talks to none. */
export function describeWorker(command: Command): string | undefined {
  const { url }: { url?: string } = command.opts();
  if (command.getOptionValueSource("url") !== "default") return url;
  return `${url}, the default address. Give another one with --url or XPEFT_URL.`;
}

/** Adds `--json`. */
export function addJsonOption(command: Command): Command {
  return command.option("--json", "print JSON, for programs");
}

/** Adds `--url`, `--key` and `--json`. */
export function addWorkerOutputOptions(command: Command, scopes: readonly Scope[]): Command {
  return addJsonOption(addWorkerOptions(command, scopes));
}

/** Adds `--database` and `--persist-to`, which every command has that uses a database without a running Worker. */
export function addDatabaseOptions(command: Command, ...conflicts: string[]): Command {
  const database = new Option(
    "--database <url>",
    "database of xpeft serve, such as file:xpeft.db (default: the environment variable XPEFT_DATABASE, or the local D1 database)",
  );
  return command
    .addOption(database.conflicts(["persistTo", ...conflicts]))
    .addOption(persistToOption().conflicts(conflicts));
}

/** Returns the option `--persist-to`. */
export function persistToOption(): Option {
  return new Option(
    "--persist-to <folder>",
    "folder of the local D1 database, as given to wrangler dev --persist-to (default: .wrangler/state)",
  );
}

/** Returns the option `--prefix` of commands that list profiles. */
export function prefixOption(): Option {
  return new Option("--prefix <text>", "only profiles whose ids start with this text")
    .default("", "all")
    .argParser(parsePrefix);
}

/** Returns an option by which a write happens only at an expected generation. */
export function generationOption(flag: string, owner: string): Option {
  const option = new Option(`${flag} <n>`, `write only if the ${owner} is at generation n; otherwise fail`);
  return option.argParser(parseWholeNumber(1));
}
