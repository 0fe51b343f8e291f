/** A failure that the user can do something about; `hint` says what. */
export class CommandError extends Error {
  readonly hint: string;

  constructor(message: string, hint: string, options?: { cause: unknown }) {
    super(message, options);
    this.name = "CommandError";
    this.hint = hint;
  }
}
