/** A command that cannot do what it was asked, and what its caller can do about it. */
export class CommandError extends Error {
  readonly hint: string;

  constructor(message: string, hint: string, options?: { cause: unknown }) {
    super(message, options);
    this.name = "CommandError";
    this.hint = hint;
  }
}
