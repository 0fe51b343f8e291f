import { ProblemError } from "../client/index.ts";
import { CommandError } from "../node/errors.ts";
import { XpeftError } from "../src/errors.ts";
import { hintFor } from "./hints.ts";

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

/** The last in a chain of causes. */
function rootCause(error: Error): Error {
  return error.cause instanceof Error ? rootCause(error.cause) : error;
}

/** What a command says on stderr when it fails: the error, what it came from, and what to do. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof ProblemError) return `${error.code}: ${error.message}\n  ${hintFor(error)}`;
  const root = rootCause(error);
  const lines = [error instanceof XpeftError ? `${error.code}: ${error.message}` : error.message];
  if (root !== error) lines.push(`  because: ${root.message}`);
  if (error instanceof XpeftError) lines.push(`  ${hintFor(error)}`);
  if (error instanceof CommandError) lines.push(`  ${error.hint}`);
  return lines.join("\n");
}
