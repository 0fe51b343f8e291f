import { ProblemError } from "../client/index.ts";
import { CommandError } from "../node/errors.ts";
import { XpeftError } from "../src/errors.ts";

/** A command that was called wrongly, which no option's own check could tell. */
export class UsageError extends CommandError {}

/** The Worker cannot be reached. */
export class NoResponse extends CommandError {
  constructor(origin: string, cause: unknown) {
    super(
      `There is no answer from ${origin}.`,
      "Start the Worker with: npm start. Elsewhere? Say where: --url, or XPEFT_URL.",
      {
        cause,
      },
    );
    this.name = "NoAnswer";
  }
}

/** How a command ends, for scripts. */
export const EXIT = {
  /** What was asked for failed, or a part of it. */
  failed: 1,
  /** The command was called wrongly. */
  usage: 2,
  /** The Worker could not be reached. */
  noAnswer: 3,
} as const;

/** The exit status of a command that ended with an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof NoResponse) return EXIT.noAnswer;
  return error instanceof UsageError ? EXIT.usage : EXIT.failed;
}

/** What to do about a problem, where the Worker's own hint is of headers, fields and routes that commands have other words for. */
const HINTS: { readonly [code in ProblemError["code"]]?: string } = {
  key_missing: "Give a key: --key xpk_…, or the environment variable XPEFT_KEY.",
  unknown_profile:
    "xpeft profiles list TASK has those that there are; predict --or-default answers with the task's default masks.",
  unknown_task: "xpeft tasks list has those that there are.",
};

const hintOf = ({ code, hint }: ProblemError): string => HINTS[code] ?? hint;

/** The last in a chain of causes. */
function rootCause(error: Error): Error {
  return error.cause instanceof Error ? rootCause(error.cause) : error;
}

/** What a command says on stderr when it fails: the error, what it came from, and what to do. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof ProblemError) return `${error.code}: ${error.message}\n  ${hintOf(error)}`;
  const root = rootCause(error);
  const lines = [error instanceof XpeftError ? `${error.code}: ${error.message}` : error.message];
  if (root !== error) lines.push(`  because: ${root.message}`);
  if (error instanceof XpeftError || error instanceof CommandError) lines.push(`  ${error.hint}`);
  return lines.join("\n");
}
