import { createRoute, z } from "@hono/zod-openapi";
import { permittedPrefix, requireProfile } from "../../src/auth/access.ts";
import { toBase64 } from "../../src/lib/base64.ts";
import { learnProfile } from "../../src/serving/learn-profile.ts";
import { jsonRequest } from "../http/json.ts";
import { ProblemSchema } from "../http/problem.ts";
import { createRouter } from "../http/router.ts";
import { Preconditions, preconditionOf, profileParams } from "../http/row-schemas.ts";
import { EVENT_STREAM } from "../http/server-sent-events.ts";
import { byKey } from "../middleware/access.ts";
import { BODY_PROBLEMS, examplesBody } from "../middleware/json-body.ts";
import { noQuery } from "../middleware/no-query.ts";
import { limitLearning } from "../middleware/rate-limit.ts";
import { registryProblems, withRegistry } from "../middleware/registry.ts";
import { ENGINE_PROBLEMS } from "../service/service.ts";
import { LearnBody, LearnEvent } from "./learn-schemas.ts";
import { answerLearning } from "./learning-events.ts";

const route = createRoute({
  ...byKey("learn", limitLearning, noQuery, examplesBody, withRegistry),
  method: "post",
  path: "/v1/profiles/{task}/{profile}/learn",
  operationId: "learnProfile",
  tags: ["Learn"],
  summary: "Learn a profile from labelled texts",
  description:
    "Answers with server-sent events: `progress` while it runs, then `learnt`, or `problem` if it fails. The profile is written at the end, unless its row has changed meanwhile. With start auto, an existing profile stays as it is if nothing was gained, unless force is true. Disconnecting cancels learning; nothing is written.",
  request: {
    params: profileParams,
    headers: Preconditions,
    body: jsonRequest(LearnBody),
  },
  responses: {
    200: {
      description: "Events.",
      content: { [EVENT_STREAM]: { schema: z.union([...LearnEvent.options, ProblemSchema]) } },
    },
    ...registryProblems(
      ...BODY_PROBLEMS,
      ...ENGINE_PROBLEMS,
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

/** `POST /v1/profiles/{task}/{profile}/learn`: learns a profile from labelled texts in the Worker. */
export const learnRoutes = createRouter().openapi(route, async (c) => {
  const { task, profile } = c.req.valid("param");
  const { examples, epochs, start, ...rest } = c.req.valid("json");
  const access = c.get("access");
  requireProfile(access, task, profile);
  if (typeof start === "object") requireProfile(access, task, start.profile);
  const request = {
    ...rest,
    task,
    profile,
    start,
    passes: epochs,
    examples: examples.map(({ label, ...input }) => ({ input, label: String(label) })),
    expected: preconditionOf(c.req.valid("header")),
    prefix: permittedPrefix(access, task, ""),
  };
  return await answerLearning(c, examples.length, async (service, hooks) => {
    const { parts, passes, leftOut, ...learnt } = await learnProfile(service, request, hooks);
    return {
      task,
      profile,
      ...learnt,
      epochs: passes,
      masks: toBase64(parts.masks),
      labelBias: parts.labelBias && toBase64(parts.labelBias),
      leftOut: { ...leftOut, gain: leftOut.learnt.accuracy - leftOut.start.accuracy },
    };
  });
});
