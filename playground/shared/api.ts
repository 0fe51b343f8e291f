import type { Problem, Task } from "./answers.ts";
import { byId } from "./dom.ts";

/** Problems of the API key, rather than of what was requested. */
export const KEY_PROBLEMS = ["key_missing", "key_invalid", "key_expired", "scope_missing", "outside_confinement"];

const TASKS_A_PAGE = 1000;

/** An error answer of the API: what is wrong, and a hint. */
export class ApiError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(`${problem.detail} ${problem.hint}`);
    this.problem = problem;
  }
}

/** Tells whether an error is an answer of the API with one of these codes. */
export const hasCode = (error: unknown, codes: readonly string[]): boolean =>
  error instanceof ApiError && codes.includes(error.problem.code);

/** Returns what an error says. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export interface RequestOptions {
  /** GET, or POST where there is a body, unless it is given. */
  readonly method?: string;
  /** A body, sent as JSON. */
  readonly json?: object;
  /** A body, sent as it is. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** The key or profile token to use instead of the page's API key. */
  readonly key?: string;
}

/** Returns the API key that the user has entered; empty if there is none. */
export const apiKey = (): string => byId("key", HTMLInputElement).value.trim();

async function problemOf(response: Response): Promise<Problem> {
  try {
    return await response.json();
  } catch {
    // Something in front of the service has answered.
    return { code: "", detail: `The service answered with status ${response.status}.`, hint: "Try again." };
  }
}

/**
 * Sends a request and returns its successful response.
 *
 * @throws ApiError if the answer is an error
 * @throws DOMException `AbortError` if the signal is aborted
 * @throws Error if the service cannot be reached
 */
export async function request(path: string, options: RequestOptions = {}): Promise<Response> {
  const { json, signal, key = apiKey() } = options;
  const body = json === undefined ? options.body : JSON.stringify(json);
  const response = await fetch(path, {
    method: options.method ?? (body === undefined ? "GET" : "POST"),
    headers: {
      ...(key && { authorization: `Bearer ${key}` }),
      ...(json && { "content-type": "application/json" }),
      ...options.headers,
    },
    body: body ?? null,
    signal: signal ?? null,
  }).catch((error: Error) => {
    if (error.name === "AbortError") throw error;
    throw new Error("The service cannot be reached. Check your connection, then try again.");
  });
  if (response.ok) return response;
  throw new ApiError(await problemOf(response));
}

/** Sends a request and returns the JSON of its answer. @throws as {@link request} does */
export async function requestJson<Answer>(path: string, options?: RequestOptions): Promise<Answer> {
  return (await request(path, options)).json();
}

/** Returns all tasks that the key may access, page by page. */
export async function readTasks(): Promise<Task[]> {
  const all: Task[] = [];
  for (let after: string | null = ""; after !== null; ) {
    const query = new URLSearchParams({ limit: String(TASKS_A_PAGE), after });
    const page: { tasks: Task[]; next: string | null } = await requestJson(`/v1/tasks?${query}`);
    all.push(...page.tasks);
    after = page.next;
  }
  return all;
}

/** Returns the path of a profile. */
export const profilePath = (task: string, profile: string): string =>
  `/v1/profiles/${task}/${encodeURIComponent(profile)}`;
