import { XpeftError } from "../errors.ts";

/** Runs database work, giving whatever fails in it the project's own name. @throws XpeftError `database_unavailable` */
export async function reach<T>(work: () => PromiseLike<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof XpeftError) throw cause;
    throw new XpeftError(
      "database_unavailable",
      "The database did not do what it was asked.",
      "Try again; if it goes on, check that the migrations are applied.",
      { cause },
    );
  }
}
