/** How requests of one kind were answered: how many by each status. */
export type Statuses = Record<number, number>;

/** Adds an answer, read to its end, to the statuses. */
export async function count(statuses: Statuses, asked: Promise<Response>): Promise<Response> {
  const response = await asked;
  statuses[response.status] = (statuses[response.status] ?? 0) + 1;
  await response.arrayBuffer();
  return response;
}

/** Tokens that wait for a Worker's encoder. */
export async function waitingTokens(url: URL): Promise<number> {
  const health = await (await fetch(new URL("/healthz", url))).json<{ waitingTokens: number }>();
  return health.waitingTokens;
}

/** Asks for predictions; JSON, unless it is text. */
export function predict(url: URL, body: unknown): Promise<Response> {
  return fetch(new URL("/v1/predict", url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

/** Sends lines to be predicted as a stream. */
export function predictStream(url: URL, query: string, lines: readonly object[]): Promise<Response> {
  return fetch(new URL(`/v1/predict/stream?${query}`, url), {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
  });
}

/** @throws Error if an answer's status is none that there may be */
export function onlyStatuses(what: string, statuses: Statuses, allowed: readonly number[]): void {
  const others = Object.keys(statuses).filter((status) => !allowed.includes(Number(status)));
  if (others.length > 0) throw new Error(`${what} was answered ${others.join(", ")}: ${JSON.stringify(statuses)}.`);
}
