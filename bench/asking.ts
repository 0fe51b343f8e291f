/** How requests of one kind were answered: how many by each status. */
export type Statuses = Record<number, number>;

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Reads an answer to its end, and adds it to the statuses. */
export async function count(statuses: Statuses, asked: Promise<Response>): Promise<Answer> {
  const response = await asked;
  const answer = { status: response.status, body: await response.text() };
  statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
  return answer;
}

/** What a request has beside method and path. */
interface Asking {
  /** Sent as JSON, unless it is text. */
  readonly body?: unknown;
  /** A key, or a profile token. */
  readonly key?: string;
  readonly type?: string;
}

/** Asks a running Worker. */
export function ask(
  url: URL,
  method: string,
  path: string,
  { body, key, type = "application/json" }: Asking = {},
): Promise<Response> {
  return fetch(new URL(path, url), {
    method,
    headers: { "content-type": type, ...(key !== undefined && { authorization: `Bearer ${key}` }) },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
}

/** Tokens that wait for a Worker's encoder; asking loads the bundle if nothing has yet. */
export async function waitingTokens(url: URL): Promise<number> {
  const health = await (await ask(url, "GET", "/healthz")).json<{ waitingTokens: number }>();
  return health.waitingTokens;
}

/** Asks for predictions; by a key or token where the Worker does not let everybody. */
export function predict(url: URL, body: unknown, key?: string): Promise<Response> {
  return ask(url, "POST", "/v1/predict", { body, ...(key !== undefined && { key }) });
}

/** Sends lines to be predicted as a stream. */
export function predictStream(url: URL, query: string, lines: readonly object[]): Promise<Response> {
  const body = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  return ask(url, "POST", `/v1/predict/stream?${query}`, { body, type: "application/x-ndjson" });
}

/** @throws Error if an answer's status is none that there may be */
export function onlyStatuses(what: string, statuses: Statuses, allowed: readonly number[]): void {
  const others = Object.keys(statuses).filter((status) => !allowed.includes(Number(status)));
  if (others.length > 0) throw new Error(`${what} was answered ${others.join(", ")}: ${JSON.stringify(statuses)}.`);
}
