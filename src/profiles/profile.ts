import type { ProfileParts, Task } from "../serving/engine.ts";

/** A task to write; the database counts the generation. */
export type NewTask = Omit<Task, "generation">;

/** A profile to write. */
export interface NewProfile extends ProfileParts {
  readonly id: string;
}
