import { z } from "@hono/zod-openapi";
import { type Access, requireProfile } from "../../../src/auth/access.ts";
import { otherProfileError, type TokenProfile } from "../../../src/auth/profile-token.ts";
import { XpeftError } from "../../../src/errors.ts";
import type { Line } from "../../../src/lib/ndjson.ts";
import type { ProfileInput } from "../../../src/serving/predictor.ts";
import { ProblemSchema } from "../../http/problem.ts";
import { type Fault, RequestError } from "../../http/problem-codes.ts";
import { ProfileId } from "../../http/row-schemas.ts";
import { Prediction, textFields } from "../../http/text-schemas.ts";
import { invalidRequest } from "../../http/validation.ts";

/** Longest line: many times the longest text that is read, and short enough for a dozen streams at once. */
export const MAX_TEXT_LINE_BYTES = 64 * 1024;

/** A line of the body. */
export const InputLine = z.strictObject({ ...textFields, profile: ProfileId.optional() }).openapi("InputLine", {
  description: "A line of the body; each line is one such object.",
});

/** A line of the answer. */
export const AnswerLine = z
  .union([
    Prediction.extend({ line: z.int() }),
    z.object({ line: z.int(), error: ProblemSchema }),
    z.object({ done: z.literal(true), answered: z.int(), failed: z.int() }),
    z.object({ error: ProblemSchema }),
  ])
  .openapi("PredictLine");

/** A line that can be answered, or what is wrong with it. */
export type ParsedLine = { readonly line: number } & ({ readonly input: ProfileInput } | { readonly fault: Fault });

/** The profiles that a stream's lines may be answered under. */
export interface StreamCaller {
  readonly access: Access;
  readonly task: string;
  /** The profile of lines that name none. */
  readonly defaultProfile: string | undefined;
  /** The profile of the token that came as the credential; no other profile is allowed then. */
  readonly token: TokenProfile | null;
}

const FAULTS = { encoding: "is not UTF-8", length: `is over ${MAX_TEXT_LINE_BYTES} bytes` };

const HINT = 'Send lines of {"profile", "text"}.';

function invalid(message: string): RequestError {
  return new RequestError("invalid_request", message, HINT);
}

function parse({ text, fault }: Line, defaultProfile: string | undefined): ProfileInput {
  if (fault) throw invalid(`The line ${FAULTS[fault]}.`);
  let json: unknown;
  try {
    json = JSON.parse(text ?? "");
  } catch {
    throw new RequestError("invalid_json", "The line is not JSON.", HINT);
  }
  const parsed = InputLine.safeParse(json);
  if (!parsed.success) throw invalidRequest(parsed.error, "the line", HINT);
  const { profile = defaultProfile, ...input } = parsed.data;
  if (profile === undefined) throw invalid("profile: neither the line nor the request names one.");
  return { ...input, profile };
}

/** Parses a line and checks that the caller may use its profile. */
export function parseLine(line: Line, { access, task, defaultProfile, token }: StreamCaller): ParsedLine {
  try {
    const input = parse(line, defaultProfile);
    requireProfile(access, task, input.profile);
    if (token && input.profile !== token.profile) throw otherProfileError(token.profile, input.profile);
    return { line: line.number, input };
  } catch (fault) {
    if (fault instanceof RequestError || fault instanceof XpeftError) return { line: line.number, fault };
    throw fault;
  }
}
