import { XpeftError } from "../errors.ts";

/**
 * Permissions of keys: predictions; learning which profiles a task has; learning profiles; reading and writing profiles;
 * writing tasks; learning tasks. None includes another.
 */
export const SCOPES = ["predict", "list", "learn", "write", "admin", "learn-task"] as const;
export type Scope = (typeof SCOPES)[number];

/** Returns the scopes that a key needs for what one of them permits: profiles are listed to predict under them. */
export const scopesFor = (scope: Scope): readonly Scope[] => (scope === "list" ? ["predict", "list"] : [scope]);

/** A caller's permissions. */
export interface Access {
  /** Id of the key, or a name for callers without a key. */
  readonly id: string;
  readonly scopes: readonly Scope[];
  /** The only permitted task; null for all. */
  readonly task: string | null;
  /** Prefix of the ids of permitted profiles; empty for all. */
  readonly profilePrefix: string;
  /** When the permissions end; null for never. */
  readonly expiresAt: Date | null;
}

/** Checks that a caller has a scope. @throws XpeftError `scope_missing` */
export function requireScope(access: Access, scope: Scope): void {
  if (access.scopes.includes(scope)) return;
  throw new XpeftError("scope_missing", `This needs a key with the scope "${scope}".`, { reason: scope });
}

function outsideError(what: string): XpeftError {
  return new XpeftError("outside_confinement", `The key has no permission for ${what}.`);
}

/** Checks that a caller may use a task. @throws XpeftError `outside_confinement` */
export function requireTask(access: Access, task: string): void {
  if (access.task !== null && access.task !== task) throw outsideError(`task "${task}"`);
}

/** Checks that a caller may use all profiles of a task. @throws XpeftError `outside_confinement` */
export function requireWholeTask(access: Access, task: string): void {
  requireTask(access, task);
  if (access.profilePrefix !== "") throw outsideError(`all of task "${task}"`);
}

/**
 * Returns the prefix by which a list of a task's profiles is limited to those that are permitted and requested.
 *
 * @param requested the prefix that the caller asks for
 * @throws XpeftError `outside_confinement` if no id has both prefixes
 */
export function permittedPrefix(access: Access, task: string, requested: string): string {
  requireTask(access, task);
  if (access.profilePrefix.startsWith(requested)) return access.profilePrefix;
  if (requested.startsWith(access.profilePrefix)) return requested;
  throw outsideError(`profiles of task "${task}" that start with "${requested}"`);
}

/** Checks that a caller may use a profile. @throws XpeftError `outside_confinement` */
export function requireProfile(access: Access, task: string, profile: string): void {
  requireTask(access, task);
  if (!profile.startsWith(access.profilePrefix)) throw outsideError(`profile "${profile}" of task "${task}"`);
}
