import type { createApp } from "../../functions/app.ts";
import type { Bindings } from "../../functions/http/env.ts";

/** What measures can use of the isolate that they run in. */
export interface Isolate {
  readonly app: ReturnType<typeof createApp>;
  readonly env: Bindings;
  readonly context: ExecutionContext;
}

/**
 * Asks the Worker's own handler for a prediction.
 *
 * @param env other bindings than the isolate's
 * @throws Error if it answers with a problem
 */
export async function askForPrediction({ app, env, context }: Isolate, body: string): Promise<Response> {
  // A client's request says its length, and is then not copied to count it.
  const headers = {
    "content-type": "application/json",
    "content-length": String(new TextEncoder().encode(body).length),
  };
  const request = new Request("https://bench.invalid/v1/predict", { method: "POST", headers, body });
  const response = await app.fetch(request, env, context);
  if (!response.ok) throw new Error(`The Worker answered ${response.status}: ${await response.text()}`);
  return response;
}
