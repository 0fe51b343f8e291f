import { CommandError } from "../../node/errors.ts";

/** The options of `xpeft serve`. */
export interface ServeOptions {
  readonly port: number;
  readonly host: string;
  readonly database?: readonly string[];
  readonly bundle: string;
  readonly demo?: boolean;
  readonly native?: boolean;
  readonly workers: number;
  readonly grace: number;
  readonly metricsHost: string;
  readonly metricsPort?: number;
}

/** In place of a database, for a service of profile tokens alone. */
export const NO_DATABASE = "none";

export const DATABASE = "file:xpeft.db";
export const DEMO_DATABASE = "file:xpeft-demo.db";

/**
 * Returns the databases that the options name. Without any, those of the environment; the demo has one of its own.
 *
 * @throws CommandError if they do not fit together
 */
export function databasesOf(
  { database, demo }: Pick<ServeOptions, "database" | "demo">,
  { XPEFT_DATABASE }: NodeJS.ProcessEnv,
): readonly string[] {
  const urls = database ?? (demo ? [DEMO_DATABASE] : (XPEFT_DATABASE?.split(/\s+/).filter(Boolean) ?? []));
  if (urls.length === 0) return [DATABASE];
  if (demo && (urls.length > 1 || urls.includes(NO_DATABASE)))
    throw new CommandError("--demo needs one database.", "Name one with --database, or none at all.");
  if (new Set(urls).size < urls.length)
    throw new CommandError("A database is named twice.", "Name each database once: --database URL0 URL1.");
  if (!urls.includes(NO_DATABASE)) return urls;
  if (urls.length > 1) {
    throw new CommandError(
      `--database ${NO_DATABASE} is for a service of profile tokens alone.`,
      "Leave the other databases out, or leave it out.",
    );
  }
  return [];
}
