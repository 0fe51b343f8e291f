import { createRoute, z } from "@hono/zod-openapi";
import { encodeBase64 } from "hono/utils/encode";
import { foundProfile, foundTask } from "../../src/found.ts";
import type { App } from "../env.ts";
import { problemResponses } from "../problem.ts";
import { ProfileId, TaskName, Written } from "../schemas.ts";
import { storeOf } from "../service.ts";

const Profile = z
  .object({
    task: TaskName,
    profile: ProfileId,
    bundle: z.string().openapi({ description: "Id of the bundle that the task was trained on." }),
    masks: z.base64().openapi({ description: "The profile's mask blob." }),
    labelBias: z.base64().nullable().openapi({
      description: "The profile's label bias, an int8 for each label in sixteenths; null where it has none.",
    }),
    maskBytes: z.int().openapi({ description: "Bytes of the mask blob.", example: 156 }),
    labelBiasBytes: z.int().openapi({ description: "Bytes of the label bias; 0 where there is none.", example: 5 }),
    ...Written,
  })
  .openapi("Profile");

const route = createRoute({
  method: "get",
  path: "/v1/profiles/{task}/{profile}",
  summary: "Show what is stored for a profile",
  request: { params: z.object({ task: TaskName, profile: ProfileId }) },
  responses: {
    200: { description: "The profile's row.", content: { "application/json": { schema: Profile } } },
    ...problemResponses("unknown_task", "unknown_profile", "invalid_request", "invalid_row", "database_unavailable"),
  },
});

/** `GET /v1/profiles/{task}/{profile}`: a profile's masks and label bias, and when they were written. */
export function registerProfile(app: App): void {
  app.openapi(route, async (c) => {
    const params = c.req.valid("param");
    const rows = await storeOf(c.env).read(params.task, params.profile);
    const task = foundTask(rows.task, params.task);
    const profile = foundProfile(rows.profile, params.task, params.profile);
    return c.json(
      {
        task: task.name,
        profile: profile.id,
        bundle: task.bundle,
        masks: encodeBase64(profile.masks.slice().buffer),
        labelBias: profile.labelBias && encodeBase64(profile.labelBias.slice().buffer),
        maskBytes: profile.masks.length,
        labelBiasBytes: profile.labelBias?.length ?? 0,
        generation: profile.generation,
        updatedAt: profile.updatedAt.toISOString(),
      },
      200,
    );
  });
}
