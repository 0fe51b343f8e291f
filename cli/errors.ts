import { ProblemError } from "../client/index.ts";
import { CommandError } from "../node/errors.ts";
import { XpeftError } from "../src/errors.ts";
import { expandCommands } from "./command-line.ts";
import { hintFor } from "./hints.ts";

/** Wrong usage that the command's own options could not detect. */
export class UsageError extends CommandError {}

/** The Worker cannot be reached. */
export class WorkerUnreachable extends CommandError {
  constructor(origin: string, cause: unknown) {
    super(
      `There is no answer from ${origin}.`,
      "Start a local Worker with: npm start. For another one, give its address with --url or XPEFT_URL.",
      { cause },
    );
    this.name = "WorkerUnreachable";
  }
}

/** Exit statuses, for scripts. */
export const EXIT = {
  /** The command failed, or a part of it. */
  failed: 1,
  /** Wrong usage. */
  usage: 2,
  /** The Worker could not be reached. */
  unreachable: 3,
} as const;

/** Returns the exit status for an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof WorkerUnreachable) return EXIT.unreachable;
  return error instanceof UsageError ? EXIT.usage : EXIT.failed;
}

/** Returns the last error in a chain of causes. */
function rootCause(error: Error): Error {
  return error.cause instanceof Error ? rootCause(error.cause) : error;
}

/** Returns what is wrong, in lines with the first cause, and what to do about it. */
function partsOf(error: unknown, worker?: string): { lines: string[]; hint: string | null } {
  if (!(error instanceof Error)) return { lines: [String(error)], hint: null };
  const hasCode = error instanceof XpeftError || error instanceof ProblemError;
  const lines = [hasCode ? `${error.code}: ${error.message}` : error.message];
  const root = rootCause(error);
  if (root !== error) lines.push(`  because: ${root.message}`);
  if (error instanceof ProblemError && worker !== undefined) lines.push(`  answered by ${worker}`);
  const hint = hasCode ? hintFor(error) : error instanceof CommandError ? error.hint : null;
  return { lines, hint: hint === null ? null : `  ${expandCommands(hint)}` };
}

/**
 * Returns an error as text for standard error: what is wrong, the first cause, and a hint.
 *
 * @param worker the Worker that was asked, to name it if the error is its answer
 */
export function describeError(error: unknown, worker?: string): string {
  const { lines, hint } = partsOf(error, worker);
  return [...lines, ...(hint === null ? [] : [hint])].join("\n");
}

/** Returns a function that describes errors of many texts or profiles as {@link describeError} does, each hint once. */
export function describeEach(): (error: unknown) => string {
  const shown = new Set<string>();
  return (error) => {
    const { lines, hint } = partsOf(error);
    if (hint === null || shown.has(hint)) return lines.join("\n");
    shown.add(hint);
    return [...lines, hint].join("\n");
  };
}
