import worker from "../../functions/index.ts";
import type { Bindings } from "../../functions/platform/bindings.ts";

/** The isolate that a measurement runs in. */
export interface Isolate {
  readonly env: Bindings;
  readonly context: ExecutionContext;
}

/**
 * Calls the Worker's own handler with a request for predictions.
 *
 * @throws Error if the response is a problem
 */
export async function predict({ env, context }: Isolate, body: string): Promise<Response> {
  // Clients send the length; without it the handler copies the body to count it.
  const length = String(new TextEncoder().encode(body).length);
  const headers = { "content-type": "application/json", "content-length": length };
  const request = new Request("https://bench.invalid/v1/predict", { method: "POST", headers, body });
  const response = await worker.fetch(request, env, context);
  if (!response.ok) throw new Error(`The Worker answered ${response.status}: ${await response.text()}`);
  return response;
}
