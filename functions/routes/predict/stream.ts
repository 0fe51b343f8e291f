import { createRoute, z } from "@hono/zod-openapi";
import { type Access, requireProfile, requireTask } from "../../../src/auth/access.ts";
import { otherProfileError, type TokenProfile } from "../../../src/auth/profile-token.ts";
import { XpeftError } from "../../../src/errors.ts";
import { type Line, readLineGroups } from "../../../src/lib/ndjson.ts";
import type { ProfileInput } from "../../../src/serving/predictor.ts";
import { toFault } from "../../http/error-handler.ts";
import { bodyStream, NDJSON, streamAnswer } from "../../http/ndjson.ts";
import { ProblemSchema, problemOf, problemResponses } from "../../http/problem.ts";
import { type Fault, RequestError } from "../../http/problem-codes.ts";
import { BY_KEY_OR_TOKEN, createRouter } from "../../http/router.ts";
import { ProfileId, TaskName } from "../../http/row-schemas.ts";
import { MAX_TOP, Prediction, textFields } from "../../http/text-schemas.ts";
import { describeInvalid } from "../../http/validation.ts";
import { ACCESS_PROBLEMS, requireAccess, whileAllowed } from "../../middleware/access.ts";
import { requireNdjson, reserveStreamBytes } from "../../middleware/ndjson-body.ts";
import { isolateService } from "../../platform/isolate.ts";
import { PREDICT_PROBLEMS, rowSourceOf, tokenProfile } from "./answer.ts";

/** Longest line: many times the longest text that is read, and short enough for a dozen streams at once. */
export const MAX_TEXT_LINE_BYTES = 64 * 1024;

/** Lines whose profiles are read by one query. */
const GROUP = 32;

const flag = (fallback: "true" | "false", description: string) =>
  z.enum(["true", "false"]).default(fallback).openapi({ description });

const query = z.strictObject({
  task: TaskName,
  profile: ProfileId.optional().openapi({ description: "The profile of lines that name none." }),
  onUnknownProfile: z.enum(["error", "default"]).default("error"),
  truncate: flag("true", "Whether texts longer than the task reads are cut, or refused."),
  topK: z.coerce
    .number()
    .int()
    .min(1)
    .max(MAX_TOP)
    .optional()
    .openapi({ type: "integer", minimum: 1, maximum: MAX_TOP }),
  scores: flag("false", "Whether every label's score is wanted."),
  logits: flag("false", "Whether every label's logit is wanted."),
});

const InputLine = z.strictObject({ ...textFields, profile: ProfileId.optional() }).openapi("InputLine", {
  description: "A line of the body; each line is one such object.",
});

const AnswerLine = z
  .union([
    Prediction.extend({ line: z.int() }),
    z.object({ line: z.int(), error: ProblemSchema }),
    z.object({ done: z.literal(true), answered: z.int(), failed: z.int() }),
    z.object({ error: ProblemSchema }),
  ])
  .openapi("PredictLine");

const route = createRoute({
  method: "post",
  path: "/v1/predict/stream",
  operationId: "predictStream",
  tags: ["Predict"],
  summary: "Label a stream of texts, one a line",
  description:
    'Lines of {"text", "textPair"?, "profile"?} in, a line for each out, in their order, as they are done; a line that cannot be answered gets an error of its own. The last line has the sums: without it the answer was broken off.',
  "x-scope": "predict",
  security: BY_KEY_OR_TOKEN,
  middleware: [
    requireAccess("predict", { tokens: true }),
    requireNdjson,
    reserveStreamBytes(2 * MAX_TEXT_LINE_BYTES),
  ] as const,
  request: {
    query,
    body: {
      required: true,
      content: {
        [NDJSON]: { schema: InputLine },
      },
    },
  },
  responses: {
    200: { description: "A line for each line.", content: { [NDJSON]: { schema: AnswerLine } } },
    ...problemResponses(...ACCESS_PROBLEMS, ...PREDICT_PROBLEMS, "unsupported_media_type", "overloaded"),
  },
});

/** A line that can be answered, or what is wrong with it. */
type ReadLine = { readonly line: number } & ({ readonly input: ProfileInput } | { readonly fault: Fault });

const FAULTS = { encoding: "is not UTF-8", length: `is over ${MAX_TEXT_LINE_BYTES} bytes` };

function parse({ text, fault }: Line, standard: string | undefined): ProfileInput {
  if (fault) throw invalid(`The line ${FAULTS[fault]}.`);
  let json: unknown;
  try {
    json = JSON.parse(text ?? "");
  } catch {
    throw new RequestError("invalid_json", "The line is not JSON.", 'Send lines of {"profile", "text"}.');
  }
  const parsed = InputLine.safeParse(json);
  if (!parsed.success) throw invalid(describeInvalid(parsed.error, "the line"));
  const { profile = standard, ...input } = parsed.data;
  if (profile === undefined) throw invalid("profile: neither the line nor the request names one.");
  return { ...input, profile };
}

function invalid(message: string): RequestError {
  return new RequestError("invalid_request", message, 'Send lines of {"profile", "text"}.');
}

/** As whom a stream's lines may be answered. */
interface Caller {
  readonly access: Access;
  readonly task: string;
  /** The profile of lines that name none. */
  readonly standard: string | undefined;
  /** The profile that came as a token: the only one then. */
  readonly carried: TokenProfile | null;
}

function read(line: Line, { access, task, standard, carried }: Caller): ReadLine {
  try {
    const input = parse(line, standard);
    requireProfile(access, task, input.profile);
    if (carried && input.profile !== carried.profile) throw otherProfileError(carried.profile, input.profile);
    return { line: line.number, input };
  } catch (fault) {
    if (fault instanceof RequestError || fault instanceof XpeftError) return { line: line.number, fault };
    throw fault;
  }
}

/** `POST /v1/predict/stream`: thousands of texts by one request. */
export const predictStreamRoutes = createRouter().openapi(route, async (c) => {
  const { task, profile, truncate, scores, logits, ...rest } = c.req.valid("query");
  const access = c.get("access");
  requireTask(access, task);
  if (profile !== undefined) requireProfile(access, task, profile);
  const base = { ...rest, task, truncate: truncate === "true", scores: scores === "true", logits: logits === "true" };
  const carried = await tokenProfile(c, task, profile ?? null);
  const caller = { access, task, standard: profile ?? carried?.profile, carried };
  const from = rowSourceOf(c, carried);
  const { predictor } = await isolateService(c.env, c.executionCtx);
  const lines = readLineGroups(bodyStream(c), {
    maxBytes: MAX_TEXT_LINE_BYTES,
    maxLines: GROUP,
    groupBytes: MAX_TEXT_LINE_BYTES,
  });

  // A fault of the service can befall every line, and is told the log once.
  const told = new Set<string>();
  function problemOnce(fault: Fault): object {
    const isNew = !told.has(fault.code);
    told.add(fault.code);
    return problemOf(c, isNew ? toFault(c, fault) : fault);
  }

  async function* answerGroup(group: readonly ReadLine[]): AsyncGenerator<object> {
    const inputs = group.flatMap((line) => ("input" in line ? [line.input] : []));
    const answers = predictor.predictEach({ ...base, inputs }, from);
    for (const one of group) {
      const answer = "fault" in one ? one.fault : (await answers.next()).value;
      if (answer === undefined) throw new RangeError("there are fewer answers than lines");
      yield { line: one.line, ...("code" in answer ? { error: problemOnce(answer) } : answer) };
    }
  }

  async function* answers(): AsyncGenerator<string> {
    const sums = { answered: 0, failed: 0 };
    for await (const group of whileAllowed(c, lines)) {
      for await (const answer of answerGroup(group.map((line) => read(line, caller)))) {
        sums["error" in answer ? "failed" : "answered"]++;
        c.set("texts", sums.answered);
        yield `${JSON.stringify(answer)}\n`;
      }
    }
    yield `${JSON.stringify({ done: true, ...sums })}\n`;
  }
  return streamAnswer(c, answers());
});
