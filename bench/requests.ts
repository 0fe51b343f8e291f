/** Counts of responses by status. */
export type Statuses = Record<number, number>;

/** A response, read to its end. */
export interface ReadResponse {
  readonly status: number;
  readonly body: string;
}

/** Reads a response to its end and counts its status. */
export async function countStatus(statuses: Statuses, sent: Promise<Response>): Promise<ReadResponse> {
  const response = await sent;
  const read = { status: response.status, body: await response.text() };
  statuses[read.status] = (statuses[read.status] ?? 0) + 1;
  return read;
}

/** Parts of a request beside method and path. */
interface RequestOptions {
  /** A string is sent unchanged, anything else as JSON. */
  readonly body?: unknown;
  /** An API key or a profile token. */
  readonly key?: string;
  readonly contentType?: string;
}

/** Sends a request to a running Worker. */
export function send(
  url: URL,
  method: string,
  path: string,
  { body, key, contentType = "application/json" }: RequestOptions = {},
): Promise<Response> {
  return fetch(new URL(path, url), {
    method,
    headers: { "content-type": contentType, ...(key !== undefined && { authorization: `Bearer ${key}` }) },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
}

/** Requests predictions. */
export function predict(url: URL, body: unknown, options: RequestOptions = {}): Promise<Response> {
  return send(url, "POST", "/v1/predict", { ...options, body });
}

/** @throws Error if the Worker answered with a status that is not allowed */
export function checkStatuses(what: string, statuses: Statuses, allowed: readonly number[]): void {
  const others = Object.keys(statuses).filter((status) => !allowed.includes(Number(status)));
  if (others.length > 0)
    throw new Error(`${what}: unexpected status ${others.join(", ")} in ${JSON.stringify(statuses)}.`);
}
