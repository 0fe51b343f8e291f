import { type Client, createClient, type InArgs, type InStatement, LibsqlError } from "@libsql/client";
import { drizzle } from "drizzle-orm/libsql";
import { migrate } from "drizzle-orm/libsql/migrator";
import pRetry from "p-retry";
import { createSerialQueue } from "../../src/lib/serial-queue.ts";
import { type Database, databaseFailure } from "../../src/storage/database.ts";
import { CommandError } from "../errors.ts";
import { packagePath } from "../package.ts";
import { HINTS } from "./hints.ts";

/** For how long a statement waits for another process's write. */
const LOCKED_MS = 5000;

/** The first wait for a lock, and the longest. */
const [FIRST_WAIT_MS, LONGEST_WAIT_MS] = [2, 100];

/** For how long a database on another machine may take. A request that got no answer at all would wait for ever. */
const REMOTE_MS = 10_000;

const fetchInTime: typeof fetch = (input, init) => fetch(input, { ...init, signal: AbortSignal.timeout(REMOTE_MS) });

/** A database's URL, for hints. */
const EXAMPLE = "file:xpeft.db";

/** An open libSQL database. */
export interface OpenDatabase {
  readonly url: string;
  readonly client: Client;
  readonly db: Database;
}

const isLocked = (error: unknown): boolean => error instanceof LibsqlError && error.code.startsWith("SQLITE_BUSY");

/** Runs a statement again while another process has the database's lock. Other requests go on meanwhile. */
async function whileLocked<T>(run: () => Promise<T>): Promise<T> {
  return await pRetry(run, {
    retries: Number.POSITIVE_INFINITY,
    minTimeout: FIRST_WAIT_MS,
    maxTimeout: LONGEST_WAIT_MS,
    maxRetryTime: LOCKED_MS,
    randomize: true,
    shouldRetry: ({ error }) => isLocked(error),
  });
}

const READS = /^\s*select\b/i;

/**
 * Returns the mode of a batch. A batch that writes takes the lock at its start: one that begins as a reader cannot
 * become a writer once somebody else has written.
 */
function modeOf(statements: readonly (InStatement | [string, InArgs?])[]): "read" | "write" {
  const sql = statements.map((one) => (typeof one === "string" ? one : Array.isArray(one) ? one[0] : one.sql));
  return sql.every((text) => READS.test(text)) ? "read" : "write";
}

/**
 * Returns a function that runs one attempt of a file's client at a time, and drops the connection of an attempt that
 * found the database locked.
 *
 * The driver leaves such a statement in progress until it is garbage, and its connection commits nothing meanwhile, but
 * reports success (libsql-client-ts#352). So no other statement may have that connection.
 */
function createAttempts(client: Client) {
  const inTurn = createSerialQueue();
  return <T>(run: () => Promise<T>): Promise<T> =>
    inTurn(async () => {
      try {
        return await run();
      } catch (error) {
        if (isLocked(error)) await client.reconnect();
        throw error;
      }
    });
}

/**
 * Returns a client whose statements wait for locks, and whose batches are transactions of the right kind.
 *
 * @param isFile its statements run in this process, one after the other anyway
 */
function patient(client: Client, isFile: boolean): Client {
  const attempt = isFile ? createAttempts(client) : <T>(run: () => Promise<T>) => run();
  const execute = client.execute.bind(client) as (
    statement: InStatement | string,
    args?: InArgs,
  ) => ReturnType<Client["execute"]>;
  const batch = client.batch.bind(client);
  return Object.assign(client, {
    execute: (statement: InStatement | string, args?: InArgs) =>
      whileLocked(() => attempt(() => execute(statement, args))),
    batch: (statements: Parameters<typeof batch>[0]) =>
      whileLocked(() => attempt(() => batch(statements, modeOf(statements)))),
  });
}

/** @throws CommandError if a URL is of no database that lasts, or has a secret */
function checkUrl(url: string): void {
  if (/[?&]authToken=/i.test(url))
    throw new CommandError("The database's URL has a token.", "Give it in XPEFT_DATABASE_TOKEN, which nothing prints.");
  if (/^(file:)?:memory:|[?&]mode=memory/.test(url))
    throw new CommandError("A database in memory is empty in each connection.", `Name a file: --database ${EXAMPLE}`);
  if (!/^[a-z]+:/i.test(url))
    throw new CommandError(`${url} is no URL of a database.`, `For a file, write: file:${url}`);
  if (url === "file:") throw new CommandError("The database has no name.", `Name a file: --database ${EXAMPLE}`);
}

/** Returns an error with the hint that its cause has. @param usual the hint of the other causes */
function failure(message: string, cause: unknown, usual: string): CommandError {
  const reason = databaseFailure(cause);
  return new CommandError(message, reason === "query" ? usual : HINTS[reason], { cause });
}

/**
 * Opens a libSQL database.
 *
 * @param url `file:PATH`, or `libsql://HOST` or `https://HOST` of Turso or sqld
 * @param authToken the token for a database on another machine
 * @throws CommandError if it cannot be opened; one on another machine that is away is opened nevertheless
 */
export async function openDatabase(url: string, authToken?: string): Promise<OpenDatabase> {
  checkUrl(url);
  return await open(url, authToken).catch((cause: unknown) => {
    throw failure(
      `The database ${url} cannot be opened.`,
      cause,
      "Name a file, file:PATH, in a folder that exists and that this user may write; or a database elsewhere, libsql://HOST.",
    );
  });
}

async function open(url: string, authToken?: string): Promise<OpenDatabase> {
  const isFile = url.startsWith("file:");
  const options = { url, intMode: "number", fetch: fetchInTime, ...(authToken && { authToken }) } as const;
  const client = patient(createClient(options), isFile);
  // Readers go on while somebody writes, and every acknowledged write survives a crash of the machine.
  if (isFile) await client.execute("PRAGMA journal_mode = WAL");
  return { url, client, db: drizzle(client) };
}

/** Two servers that start at once on a new database both try; the one that comes second finds it done. */
const RETRIES = 3;

/** Applies the migrations that a database lacks. @throws CommandError if it cannot be reached */
export async function migrateDatabase({ client, url }: OpenDatabase): Promise<void> {
  await pRetry(() => migrate(drizzle(client), { migrationsFolder: packagePath("schema/migrations") }), {
    retries: RETRIES,
    minTimeout: 100,
    onFailedAttempt: () => client.reconnect(),
  }).catch((cause: unknown) => {
    throw failure(
      `The migrations cannot be applied to ${url}.`,
      cause,
      "Check that the database can be reached and written, then start again.",
    );
  });
}
