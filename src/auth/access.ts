import { XpeftError } from "../errors.ts";

/** What a key may be allowed: predictions; learning profiles; reading and writing them; writing tasks. None includes another. */
export const SCOPES = ["predict", "learn", "write", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** What a caller may do, and to what. */
export interface Access {
  /** Id of the key, or what stands for a caller without one. */
  readonly id: string;
  readonly scopes: readonly Scope[];
  /** The one task that it reaches; null for all. */
  readonly task: string | null;
  /** What the ids of the profiles that it reaches start with; empty for all. */
  readonly profilePrefix: string;
  /** Until when; null for ever. */
  readonly expiresAt: Date | null;
}

/** @throws XpeftError `scope_missing` */
export function requireScope(access: Access, scope: Scope): void {
  if (access.scopes.includes(scope)) return;
  throw new XpeftError("scope_missing", `This needs a key with the scope "${scope}".`, { reason: scope });
}

function outside(what: string): XpeftError {
  return new XpeftError("outside_confinement", `The key has no permission for ${what}.`);
}

/** @throws XpeftError `outside_confinement` if no profile of the task is reached */
export function requireTask(access: Access, task: string): void {
  if (access.task !== null && access.task !== task) throw outside(`task "${task}"`);
}

/** @throws XpeftError `outside_confinement` if the task, or any profile of it, is not reached */
export function requireWholeTask(access: Access, task: string): void {
  requireTask(access, task);
  if (access.profilePrefix !== "") throw outside(`all of task "${task}"`);
}

/**
 * Narrows a list of a task's profiles to those that are reached.
 *
 * @param wanted what the caller asks the ids to start with
 * @returns the longer of the two prefixes
 * @throws XpeftError `outside_confinement` if no profile has both
 */
export function permittedPrefix(access: Access, task: string, wanted: string): string {
  requireTask(access, task);
  if (access.profilePrefix.startsWith(wanted)) return access.profilePrefix;
  if (wanted.startsWith(access.profilePrefix)) return wanted;
  throw outside(`profiles of task "${task}" that start with "${wanted}"`);
}

/** @throws XpeftError `outside_confinement` */
export function requireProfile(access: Access, task: string, profile: string): void {
  requireTask(access, task);
  if (!profile.startsWith(access.profilePrefix)) throw outside(`profile "${profile}" of task "${task}"`);
}
