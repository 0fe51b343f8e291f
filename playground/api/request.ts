import ky, { HTTPError, isNetworkError } from "ky";
import type { Problem } from "./answers.ts";
import { watchRequest } from "./service.ts";
import { apiKey } from "./session.ts";

/** Problems of the API key, rather than of what was requested. */
export const KEY_PROBLEMS = ["key_missing", "key_invalid", "key_expired", "scope_missing", "outside_confinement"];

/** Problems that pass by themselves, and those of them of a request that was rejected before it did anything. */
const REJECTED = ["rate_limited", "overloaded", "learning_busy"];
const PASSING = [...REJECTED, "database_unavailable"];
/** Statuses of the problems above, and of what stands in front of the service. */
const RETRIED = [429, 502, 503, 504];
const METHODS = ["get", "post", "put", "delete"] as const;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 8000;
/** A day's worth: requests are repeated until they succeed, or nobody waits for them. */
const RETRIES = 10_000;

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

/** Tells whether somebody has cancelled the request. */
export const isCancelled = (error: unknown): boolean => error instanceof Error && error.name === "AbortError";

export interface RequestOptions {
  /** GET, or POST where there is a body, unless it is given. */
  readonly method?: string;
  /** A body, sent as JSON. */
  readonly json?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Whether the request writes. It is then repeated only if it was rejected before it did anything. */
  readonly writes?: boolean;
  /** Whether the page can do without the answer: the request is not repeated, and no delay is shown. */
  readonly optional?: boolean;
}

function problemOf({ data, response }: HTTPError): Problem {
  if (typeof data === "object" && data !== null && "code" in data) return data as Problem;
  // Something in front of the service has answered.
  return { code: "", detail: `The service answered with status ${response.status}.`, hint: "Try again." };
}

/**
 * Sends a request and returns its successful response. While the service is away, busy or failing, the request is
 * repeated, and the page says so.
 *
 * @throws ApiError if the answer is an error that another try cannot change
 * @throws DOMException `AbortError` if the signal is aborted
 * @throws Error if the service cannot be reached, of a request that writes
 */
export async function request(path: string, options: RequestOptions = {}): Promise<Response> {
  const { json, signal, headers, writes = false, optional = false } = options;
  const key = apiKey.value;
  const watch = optional ? null : watchRequest();
  try {
    return await ky(path, {
      method: options.method ?? (json === undefined ? "GET" : "POST"),
      headers: { ...(key && { authorization: `Bearer ${key}` }), ...headers },
      ...(json && { json }),
      ...(signal && { signal }),
      timeout: false,
      retry: {
        limit: optional ? 0 : RETRIES,
        methods: [...METHODS],
        statusCodes: RETRIED,
        afterStatusCodes: RETRIED,
        delay: (attempt) => Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 1)),
        shouldRetry({ error }) {
          if (error instanceof HTTPError) {
            const { code, detail } = problemOf(error);
            // A problem without a code is not the service's own.
            const isPassing = (writes ? REJECTED : [...PASSING, ""]).includes(code);
            if (!isPassing || !RETRIED.includes(error.response.status)) return false;
            watch?.retry({ kind: "failing", detail });
            return undefined;
          }
          if (writes || !isNetworkError(error)) return false;
          watch?.retry({ kind: "away" });
          return undefined;
        },
      },
    });
  } catch (error) {
    if (error instanceof HTTPError) throw new ApiError(problemOf(error));
    if (isNetworkError(error))
      throw new Error(
        optional
          ? "The service cannot be reached."
          : "The connection broke. The service may or may not have written. Reload the page to see.",
      );
    throw error;
  } finally {
    watch?.end();
  }
}

/** Sends a request and returns the JSON of its answer. @throws as {@link request} does */
export async function requestJson<Answer>(path: string, options?: RequestOptions): Promise<Answer> {
  return (await request(path, options)).json();
}

/** Returns the path of a profile. */
export const profilePath = (task: string, profile: string): string =>
  `/v1/profiles/${task}/${encodeURIComponent(profile)}`;
