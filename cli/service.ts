import { setTimeout } from "node:timers/promises";
import { type Command, Option } from "commander";
import { type Client, createClient } from "../client/index.ts";
import { CommandError } from "../node/errors.ts";
import { NoResponse, UsageError } from "./errors.ts";

/** Where a running Worker is, and what it is asked with. */
export interface ServiceOptions {
  readonly url: string;
  readonly key?: string;
}

/** Where `npm start` serves. */
export const LOCAL_URL = "http://localhost:8787";

/** Times that a busy Worker is asked before that is an error. */
const MOST_TRIES = 20;

/** Statuses of a Worker that is to be asked later: too much to do, or asked too often. */
const BUSY = new Set([429, 503]);

/** Rows asked for at a time; the most that the API gives. */
const PAGE = 1000;

/** Adds the options that every command has which asks a running Worker. */
export function addServiceOptions(command: Command): Command {
  return command
    .addOption(new Option("--url <url>", "where the Worker is").env("XPEFT_URL").default(LOCAL_URL))
    .addOption(new Option("--key <key>", "an API key, if the Worker wants one").env("XPEFT_KEY"));
}

/** Sends a request; where the Worker has too much to do, it waits as long as it is told and asks again. */
const patientFetch: typeof fetch = async (input, init) => {
  for (let tries = 1; ; tries++) {
    const { origin, href } = new URL(input instanceof Request ? input.url : String(input));
    const response = await fetch(input, init).catch((cause: unknown) => {
      throw new NoResponse(origin, cause);
    });
    // Whatever the Worker answers has it; a proxy's page or another server has not.
    if (!response.headers.has("x-request-id")) {
      throw new CommandError(
        `${href} answered ${response.status} in no known form.`,
        "Is this an xpeft-edge Worker? Say where it is: --url, or the environment variable XPEFT_URL.",
      );
    }
    const seconds = Number(response.headers.get("retry-after"));
    const again =
      BUSY.has(response.status) && seconds > 0 && tries < MOST_TRIES && !(init?.body instanceof ReadableStream);
    if (!again) return response;
    await response.body?.cancel();
    await setTimeout(1000 * seconds);
  }
};

/**
 * Opens a client of a running Worker. What it throws is for `describeError`.
 *
 * @throws UsageError if the URL is none of HTTP
 */
export function openService({ url, key }: ServiceOptions): Client {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new UsageError(
      `"${url}" is no URL of a Worker.`,
      `Say where the Worker is, with http:// or https:// before it: --url ${LOCAL_URL}`,
    );
  return createClient(url, { fetch: patientFetch, ...(key && { key }) });
}

/** A part of a list, and where the next one begins. */
interface Page<Row> {
  readonly rows: readonly Row[];
  readonly next: string | null;
}

/**
 * Reads a list page by page.
 *
 * @param read the page after a row
 */
export async function* readAllPages<Row>(
  read: (query: { limit: string; after: string }) => Promise<Page<Row>>,
): AsyncGenerator<Row> {
  for (let after: string | null = ""; after !== null; ) {
    const page: Page<Row> = await read({ limit: String(PAGE), after });
    yield* page.rows;
    after = page.next;
  }
}
