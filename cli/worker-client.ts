import { setTimeout } from "node:timers/promises";
import { type Client, createClient } from "../client/index.ts";
import { CommandError } from "../node/errors.ts";
import { WorkerUnreachable } from "./errors.ts";
import type { WorkerOptions } from "./options.ts";

/** How often a request is sent to a busy Worker before the command fails. */
const MAX_TRIES = 20;

/** Statuses of a busy Worker: too many requests, or at capacity. */
const BUSY_STATUSES = new Set([429, 503]);

/** Rows a page of a list; the API's maximum. */
const PAGE_ROWS = 1000;

/** Whether a response is of a Worker. A proxy's error page and other servers' answers are not. */
function isOfWorker({ ok, headers }: Response): boolean {
  // Every response of the Worker has both headers. Frameworks add them too, but none of them answers with problems.
  const isProblem = headers.get("content-type")?.startsWith("application/problem+json");
  return headers.has("x-request-id") && headers.has("server-timing") && (ok || isProblem === true);
}

function otherServerError(origin: string, found: string, cause?: unknown): CommandError {
  return new CommandError(
    `${origin} answered, but is no xpeft Worker: ${found}.`,
    "Check the address of the Worker: --url, or the environment variable XPEFT_URL. npm start -- --port N serves one at another port.",
    { cause },
  );
}

/** Whether a failure of `fetch` is that the answer is not HTTP, or not encrypted as https:// needs. */
function isOtherProtocol(failure: unknown): boolean {
  const cause = failure instanceof Error ? failure.cause : null;
  if (!(cause instanceof Error)) return false;
  return cause.name === "HTTPParserError" || ("code" in cause && String(cause.code).startsWith("ERR_SSL_"));
}

/** Sends a request. While the Worker is busy, waits as long as its Retry-After header says, then retries. */
const fetchWithRetries: typeof fetch = async (input, init) => {
  for (let tries = 1; ; tries++) {
    const { origin, pathname } = new URL(input instanceof Request ? input.url : String(input));
    const response = await fetch(input, init).catch((cause: unknown) => {
      throw isOtherProtocol(cause)
        ? otherServerError(origin, "its answer is of another protocol", cause)
        : new WorkerUnreachable(origin, cause);
    });
    if (!isOfWorker(response)) {
      const server = response.headers.get("server");
      const from = server === null ? "" : ` from "${server}"`;
      throw otherServerError(origin, `${pathname} got status ${response.status}${from}`);
    }
    const seconds = Number(response.headers.get("retry-after"));
    const canRetry =
      BUSY_STATUSES.has(response.status) && seconds > 0 && tries < MAX_TRIES && !(init?.body instanceof ReadableStream);
    if (!canRetry) return response;
    await response.body?.cancel();
    await setTimeout(1000 * seconds);
  }
};

/** Returns a client of a running Worker. Its errors can be shown with `describeError`. */
export function openClient({ url, key }: WorkerOptions): Client {
  return createClient(url, { fetch: fetchWithRetries, ...(key && { key }) });
}

/** A part of a list. `next` is the last row's name, or null at the end of the list. */
interface Page<Row> {
  readonly rows: readonly Row[];
  readonly next: string | null;
}

/**
 * Yields the rows of a list, page by page.
 *
 * @param readPage reads the page that follows the row `after`
 */
export async function* readAllPages<Row>(
  readPage: (query: { limit: number; after: string }) => Promise<Page<Row>>,
): AsyncGenerator<Row> {
  for (let after: string | null = ""; after !== null; ) {
    const page: Page<Row> = await readPage({ limit: PAGE_ROWS, after });
    yield* page.rows;
    after = page.next;
  }
}
