import { createRoute, z } from "@hono/zod-openapi";
import type { App } from "../env.ts";
import { problemResponses } from "../problem.ts";
import { serviceOf } from "../service.ts";

const Health = z
  .object({
    ready: z.literal(true),
    bundle: z.string().openapi({ description: "Id of the bundle that is loaded." }),
    heapBytes: z.int().openapi({ description: "Bytes of the encoder's WebAssembly memory." }),
  })
  .openapi("Health");

const route = createRoute({
  method: "get",
  path: "/healthz",
  summary: "Tell whether the engine is ready, loading it if it is not",
  responses: {
    200: { description: "The engine is loaded.", content: { "application/json": { schema: Health } } },
    ...problemResponses(
      "invalid_setting",
      "invalid_manifest",
      "bundle_file_missing",
      "bundle_file_corrupt",
      "bundle_unusable",
    ),
  },
});

/** `GET /healthz`: 200 once the engine is loaded, a problem that names the cause where it cannot be. */
export function registerHealth(app: App): void {
  app.openapi(route, async (c) => {
    const { engine } = await serviceOf(c.env, c.executionCtx);
    return c.json({ ready: true as const, bundle: engine.bundle.id, heapBytes: engine.heapBytes() }, 200);
  });
}
