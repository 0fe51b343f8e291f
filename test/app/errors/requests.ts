import { overload } from "../../support/overload.ts";
import { sendPartialBody } from "../../support/partial-body.ts";
import { type Provocations, REQUEST, startOther } from "./fixture.ts";

/** One byte more than the limit of bodies with texts. */
const TOO_MANY_BYTES = 256 * 1024 + 1;

/** Requests that fail whatever is stored. */
export const requestProvocations = {
  invalid_request: ({ worker }) => worker.predict({ ...REQUEST, inputs: [] }),

  invalid_json: ({ worker }) => worker.predict('{"task": "demo"'),

  invalid_unicode: ({ worker }) =>
    // UTF-8 has no byte 0xff.
    fetch(new URL("/v1/predict", worker.url), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: Buffer.concat([Buffer.from('{"task":"'), Buffer.of(0xff), Buffer.from('"}')]),
    }),

  unsupported_media_type: ({ worker }) => worker.predict(REQUEST, { headers: { "content-type": "text/plain" } }),

  payload_too_large: ({ worker }) => worker.predict(JSON.stringify(REQUEST).padEnd(TOO_MANY_BYTES)),

  body_too_slow: async ({ worker }) => (await sendPartialBody(worker)).response,

  not_found: ({ worker }) => worker.get("/v2/predict"),

  method_not_allowed: ({ worker }) => worker.get("/v1/predict"),

  async overloaded() {
    const worker = await startOther({});
    const { rejected } = await overload(worker);
    return rejected;
  },

  async rate_limited() {
    const worker = await startOther({ rateLimit: 1 });
    const list = () => worker.get("/v1/tasks", { key: null });
    let response = await list();
    // The minute may end between two requests, but hardly three times in a row.
    for (let again = 0; response.status === 200 && again < 3; again++) response = await list();
    return response;
  },
} satisfies Provocations;
