import { createRoute, z } from "@hono/zod-openapi";
import { permittedPrefix, requireProfile } from "../../src/auth/access.ts";
import { MAX_EXAMPLES } from "../../src/learn/examples.ts";
import { RECIPE } from "../../src/learn/recipe.ts";
import { toBase64 } from "../../src/lib/base64.ts";
import { learnProfile } from "../../src/serving/learn-profile.ts";
import { BOOKMARK, bookmarkNow } from "../http/bookmarks.ts";
import { ProblemSchema, problemResponses } from "../http/problem.ts";
import { BY_KEY, createRouter } from "../http/router.ts";
import { Base64, LastWrite, Preconditions, ProfileId, preconditionOf, TaskName } from "../http/row-schemas.ts";
import { answerEvents, EVENT_STREAM } from "../http/server-sent-events.ts";
import { textFields } from "../http/text-schemas.ts";
import { ACCESS_PROBLEMS, limitLearning, requireAccess } from "../middleware/access.ts";
import { detachSessions } from "../middleware/bookmark.ts";
import { BODY_PROBLEMS, examplesBody } from "../middleware/json-body.ts";
import { noQuery } from "../middleware/no-query.ts";
import { openRegistry, SHARD_PROBLEMS } from "../platform/databases.ts";
import { BUNDLE_PROBLEMS, isolateService } from "../platform/isolate.ts";
import { LEARN_SECONDS } from "../platform/settings.ts";

const Example = z
  .strictObject({
    ...textFields,
    label: z.union([z.string(), z.number()]).openapi({
      description:
        "One of the task's labels; in a task whose labels are whole numbers, any number from the least to the greatest.",
      example: "POLITICS",
    }),
  })
  .openapi("Example");

const LearnBody = z
  .strictObject({
    examples: z
      .array(Example)
      .openapi({ description: `2 to ${MAX_EXAMPLES} labelled texts, of two labels or more. They are not stored.` }),
    start: z
      .union([z.enum(["auto", "default", "own"]), z.strictObject({ profile: ProfileId })])
      .default("auto")
      .openapi({
        description:
          "What to start from: the task's default masks, the profile's own of now, another profile's; or (auto) the default, unless the best of sixteen others' explains the examples clearly better.",
      }),
    epochs: z.int().min(1).max(100).default(RECIPE.passes).openapi({
      description: "Passes over the examples.",
    }),
    seed: z
      .int()
      .min(0)
      .max(2 ** 31 - 1)
      .default(0)
      .openapi({ description: "The same seed and examples make the same profile." }),
    dryRun: z.boolean().default(false).openapi({ description: "Whether nothing is written." }),
  })
  .openapi("LearnRequest");

const share = z.number().min(0).max(1);

const Standing = z.object({
  loss: z.number().openapi({ description: "Mean cross entropy, in nats." }),
  accuracy: share,
});

const Progress = z
  .object({
    phase: z.enum(["start", "left-out", "all"]),
    pass: z.int(),
    passes: z.int(),
    loss: z.number().nullable(),
    leftOutAccuracy: share.nullable(),
    done: share,
    secondsLeft: z.int(),
  })
  .openapi("LearnProgress", { description: "The data of an event `progress`." });

const Outcome = z
  .object({
    task: TaskName,
    profile: ProfileId,
    generation: LastWrite.generation.nullable().openapi({ description: "As which it was written; null in a dry run." }),
    created: z.boolean(),
    masks: Base64("The masks that were learnt."),
    labelBias: Base64("The label bias that was learnt; null if there is none.").nullable(),
    start: ProfileId.nullable().openapi({
      description: "The profile that it started from; null for the task's default.",
    }),
    kept: z.enum(["start", "label-bias", "masks"]).openapi({
      description:
        "Masks of its own with a label bias, unless another did better on left-out examples by more than a standard error: the start as it is, or the same with a label bias.",
    }),
    epochs: z.int().openapi({ description: "Passes that its masks took; 0 where they are the start's." }),
    leftOut: z
      .object({ texts: z.int(), start: Standing, learnt: Standing, gain: z.number(), trusted: z.boolean() })
      .openapi({
        description:
          "How examples were answered that were left out meanwhile, by the start and by what was learnt from the others. gain: what accuracy rose by. trusted: whether the loss fell by more than chance. What was kept was chosen by these examples, so its own figures are a little flattering; trusted allows for that.",
      }),
    seconds: z.number(),
    bookmark: z
      .string()
      .nullable()
      .openapi({
        description: `A later request that brings it as \`${BOOKMARK}\` reads what was written.`,
      }),
  })
  .openapi("Learnt", { description: "The data of the last event, `learnt`." });

/** What the events tell, by their names. */
export interface LearnEvents {
  progress: z.infer<typeof Progress>;
  learnt: z.infer<typeof Outcome>;
}

const route = createRoute({
  method: "post",
  path: "/v1/profiles/{task}/{profile}/learn",
  operationId: "learnProfile",
  tags: ["Learn"],
  summary: "Learn a profile from labelled texts",
  description:
    "Server-sent events: `progress` while it goes on, then `learnt`, or `problem` if it fails. The profile is written at the end, unless its row has changed meanwhile; until then it is answered as before. Who hangs up ends the learning.",
  "x-scope": "learn",
  security: BY_KEY,
  middleware: [requireAccess("learn"), limitLearning, noQuery, examplesBody] as const,
  request: {
    params: z.object({ task: TaskName, profile: ProfileId }),
    headers: Preconditions,
    body: { required: true, content: { "application/json": { schema: LearnBody } } },
  },
  responses: {
    200: {
      description: "Events.",
      content: { [EVENT_STREAM]: { schema: z.union([Progress, Outcome, ProblemSchema]) } },
    },
    ...problemResponses(
      ...ACCESS_PROBLEMS,
      ...SHARD_PROBLEMS,
      ...BODY_PROBLEMS,
      ...BUNDLE_PROBLEMS,
      "bundle_file_corrupt",
      "unknown_task",
      "unknown_profile",
      "bundle_mismatch",
      "generation_mismatch",
      "write_conflict",
      "unknown_label",
      "one_label",
      "too_few_examples",
      "too_many_examples",
      "empty_text",
      "learning_busy",
      "learning_too_long",
      "invalid_mask",
      "invalid_label_bias",
    ),
  },
});

/** `POST /v1/profiles/{task}/{profile}/learn`: a profile from labelled texts, where it is served. */
export const learnRoutes = createRouter().openapi(route, async (c) => {
  const { task, profile } = c.req.valid("param");
  const { examples, epochs, start, ...rest } = c.req.valid("json");
  const access = c.get("access");
  requireProfile(access, task, profile);
  if (typeof start === "object") requireProfile(access, task, start.profile);
  const lessons = {
    ...rest,
    task,
    profile,
    start,
    passes: epochs,
    examples: examples.map(({ label, ...input }) => ({ input, label: String(label) })),
    expected: preconditionOf(c.req.valid("header")),
    reach: permittedPrefix(access, task, ""),
  };
  const shards = await openRegistry(c);
  // The headers go out before anything is written: a bookmark there would be one from before.
  const sessions = detachSessions(c);
  const { engine } = await isolateService(c.env, c.executionCtx);
  c.set("texts", examples.length);
  return await answerEvents(c, async (send, signal) => {
    const began = Date.now();
    const hooks = {
      signal,
      budgetSeconds: LEARN_SECONDS,
      onProgress: async (progress: object) => {
        await c.get("stillAllowed")();
        await send("progress", progress);
      },
    };
    const { parts, passes, leftOut, ...learnt } = await learnProfile({ engine, shards }, lessons, hooks);
    await send("learnt", {
      task,
      profile,
      ...learnt,
      epochs: passes,
      masks: toBase64(parts.masks),
      labelBias: parts.labelBias && toBase64(parts.labelBias),
      leftOut: { ...leftOut, gain: leftOut.learnt.accuracy - leftOut.start.accuracy },
      seconds: (Date.now() - began) / 1000,
      bookmark: sessions ? bookmarkNow(sessions) : null,
    });
  });
});
