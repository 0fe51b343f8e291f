import { XpeftError } from "../src/errors.ts";

/** A command that cannot do what it was asked, and what its caller can do about it. */
export class CommandError extends Error {
  readonly hint: string;

  constructor(message: string, hint: string, options?: { cause: unknown }) {
    super(message, options);
    this.name = "CommandError";
    this.hint = hint;
  }
}

/** The last in a chain of causes. */
function rootCause(error: Error): Error {
  return error.cause instanceof Error ? rootCause(error.cause) : error;
}

/** What a command says on stderr when it fails: the error, what it came from, and what to do. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const root = rootCause(error);
  const lines = [error instanceof XpeftError ? `${error.code}: ${error.message}` : error.message];
  if (root !== error) lines.push(`  because: ${root.message}`);
  if (error instanceof XpeftError || error instanceof CommandError) lines.push(`  ${error.hint}`);
  return lines.join("\n");
}
