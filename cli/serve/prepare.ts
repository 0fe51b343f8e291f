import { CommandError } from "../../node/errors.ts";
import { readEnvironment } from "../../node/server/configuration.ts";
import { numberDatabases } from "../../node/server/number-databases.ts";
import { migrateDatabase, type OpenDatabase, openDatabase } from "../../node/server/open-database.ts";
import { dropPageKey, prepareDemo } from "./demo.ts";
import { databasesOf, type ServeOptions } from "./options.ts";

/** Addresses that only this machine reaches. */
const LOOPBACK = ["127.0.0.1", "localhost", "::1"];

/** Opens several databases. @throws CommandError if one cannot be opened */
export const openDatabases = (urls: readonly string[], token: string | undefined): Promise<OpenDatabase[]> =>
  Promise.all(urls.map((url) => openDatabase(url, token)));

/** Reads the environment. The demo answers without a key. */
export const environmentOf = ({ demo }: ServeOptions) =>
  readEnvironment(process.env, demo ? { PUBLIC_PREDICT: "true" } : {});

/**
 * Migrates the databases, numbers several new ones, and writes the demo.
 *
 * @returns further environment variables of the server
 */
export async function prepare(options: ServeOptions): Promise<NodeJS.ProcessEnv> {
  const { databaseToken, tokenKeys } = environmentOf(options);
  const urls = databasesOf(options, process.env);
  if (urls.length === 0 && tokenKeys === undefined) {
    throw new CommandError(
      "Without a database, a server accepts nothing but profile tokens, and nothing says which.",
      "Set XPEFT_TOKEN_KEYS to the keys of the server that makes the tokens: docs/api.md explains how.",
    );
  }
  const opened = await openDatabases(urls, databaseToken);
  try {
    for (const database of opened) await migrateDatabase(database);
    await numberDatabases(opened);
    const [first] = opened;
    if (!first) return {};
    await dropPageKey(first.db);
    // Whoever reaches the page has its key, and callers can write any host name into a request.
    return options.demo ? await prepareDemo(first.db, options.bundle, LOOPBACK.includes(options.host)) : {};
  } finally {
    for (const { client } of opened) client.close();
  }
}
