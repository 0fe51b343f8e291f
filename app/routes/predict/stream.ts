import { createRoute, z } from "@hono/zod-openapi";
import { requireProfile, requireTask } from "../../../src/auth/access.ts";
import { readLineGroups } from "../../../src/lib/ndjson.ts";
import { bodyStream, lineProblems, NDJSON, streamAnswer } from "../../http/ndjson.ts";
import { problemResponses } from "../../http/problem.ts";
import { createRouter } from "../../http/router.ts";
import { ProfileId, TaskName } from "../../http/row-schemas.ts";
import { ABSTAIN_BELOW, MAX_TOP } from "../../http/text-schemas.ts";
import { ACCESS_PROBLEMS, byKeyOrToken, whileAllowed } from "../../middleware/access.ts";
import { requireNdjson, reserveStreamBytes } from "../../middleware/ndjson-body.ts";
import { serviceOf } from "../../service/service.ts";
import { PREDICT_PROBLEMS, rowSourceOf, tokenProfile } from "./answer.ts";
import { AnswerLine, InputLine, MAX_TEXT_LINE_BYTES, type ParsedLine, parseLine } from "./stream-lines.ts";

/** Lines whose profiles are read by one query. */
const GROUP = 32;

const flag = (fallback: "true" | "false", description: string) =>
  z.enum(["true", "false"]).default(fallback).openapi({ description });

const query = z.strictObject({
  task: TaskName,
  profile: ProfileId.optional().openapi({ description: "The profile of lines that name none." }),
  onUnknownProfile: z.enum(["error", "default"]).default("error"),
  truncate: flag("true", "Whether to truncate texts longer than the task reads. With false they are rejected."),
  abstainBelow: z.coerce
    .number()
    .min(0)
    .max(1)
    .optional()
    .openapi({ type: "number", minimum: 0, maximum: 1, description: ABSTAIN_BELOW }),
  topK: z.coerce
    .number()
    .int()
    .min(1)
    .max(MAX_TOP)
    .optional()
    .openapi({ type: "integer", minimum: 1, maximum: MAX_TOP }),
  scores: flag("false", "Whether to return every label's score."),
  logits: flag("false", "Whether to return every label's logit."),
});

const route = createRoute({
  ...byKeyOrToken(requireNdjson, reserveStreamBytes(2 * MAX_TEXT_LINE_BYTES)),
  method: "post",
  path: "/v1/predict/stream",
  operationId: "predictStream",
  tags: ["Predict"],
  summary: "Label a stream of texts, one a line",
  description:
    'Send lines of {"text", "textPair"?, "profile"?}. The answer has a line for each, in order, as soon as it is ready. A line that cannot be answered gets its own error. The last line has the counts; without it the answer was interrupted.',
  request: { query, body: { required: true, content: { [NDJSON]: { schema: InputLine } } } },
  responses: {
    200: { description: "An answer for each line.", content: { [NDJSON]: { schema: AnswerLine } } },
    ...problemResponses(...ACCESS_PROBLEMS, ...PREDICT_PROBLEMS, "unsupported_media_type", "overloaded"),
  },
});

/** `POST /v1/predict/stream`: labels thousands of texts in one request. */
export const predictStreamRoutes = createRouter().openapi(route, async (c) => {
  const { task, profile, truncate, scores, logits, ...rest } = c.req.valid("query");
  const access = c.get("access");
  requireTask(access, task);
  if (profile !== undefined) requireProfile(access, task, profile);
  const base = { ...rest, task, truncate: truncate === "true", scores: scores === "true", logits: logits === "true" };
  const token = await tokenProfile(c, task, profile ?? null);
  const caller = { access, task, defaultProfile: profile ?? token?.profile, token };
  const source = rowSourceOf(c, token);
  const { predictor } = await serviceOf(c.env.platform, c.executionCtx);
  const lines = readLineGroups(bodyStream(c), {
    maxBytes: MAX_TEXT_LINE_BYTES,
    maxLines: GROUP,
    groupBytes: MAX_TEXT_LINE_BYTES,
  });

  const problemOfLine = lineProblems(c);

  async function* answerGroup(group: readonly ParsedLine[]): AsyncGenerator<object> {
    const inputs = group.flatMap((line) => ("input" in line ? [line.input] : []));
    const answers = predictor.predictEach({ ...base, inputs }, source);
    for (const parsed of group) {
      const answer = "fault" in parsed ? parsed.fault : (await answers.next()).value;
      if (answer === undefined) throw new RangeError("there are fewer answers than lines");
      yield { line: parsed.line, ...("code" in answer ? { error: problemOfLine(answer) } : answer) };
    }
  }

  async function* answers(): AsyncGenerator<string> {
    const counts = { answered: 0, failed: 0 };
    for await (const group of whileAllowed(c, lines)) {
      for await (const answer of answerGroup(group.map((line) => parseLine(line, caller)))) {
        counts["error" in answer ? "failed" : "answered"]++;
        c.set("texts", counts.answered);
        yield `${JSON.stringify(answer)}\n`;
      }
    }
    yield `${JSON.stringify({ done: true, ...counts })}\n`;
  }
  return streamAnswer(c, answers());
});
