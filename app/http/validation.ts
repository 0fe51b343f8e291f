import type { Hook } from "@hono/zod-openapi";
import { profilePattern } from "../../src/profiles/names.ts";
import type { AppEnv } from "./env.ts";
import { RequestError } from "./problem-codes.ts";

type Issue = { path: PropertyKey[]; message: string; code?: string; pattern?: string; errors?: Issue[][] };

/** Formats a path as `inputs[3].text`. */
function formatPath(path: PropertyKey[], whole: string): string {
  const joined = path.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("");
  return joined.replace(/^\./, "") || whole;
}

/** Flattens a schema's issues. A union's issues become those of the branch that the value's type fits. */
function leaves(issues: readonly Issue[], prefix: PropertyKey[] = []): Issue[] {
  return issues.flatMap((issue) => {
    const path = [...prefix, ...issue.path];
    const branches = (issue.errors ?? []).map((branch) => leaves(branch, path));
    const ofAnotherType = (leaf: Issue) => leaf.code === "invalid_type" && leaf.path.length === path.length;
    return branches.find((branch) => !branch.some(ofAnotherType)) ?? [{ ...issue, path }];
  });
}

/** Names of a request's parts in messages. */
const PARTS: Partial<Record<string, string>> = { query: "the query", header: "the headers", param: "the path" };

const ID_HINT =
  'Use such an id. For others, such as e-mail addresses, use a hash: docs/bring-your-own.md explains how, under "Hashed ids".';

/**
 * Returns the error for the first field that a schema rejects: which field, and why.
 *
 * @param whole the name of the value itself
 * @param hint what to do, unless the field needs another hint
 */
export function invalidRequest(error: { issues: unknown }, whole: string, hint: string): RequestError {
  const [first] = leaves(error.issues as Issue[]);
  const message = first ? `${formatPath(first.path, whole)}: ${first.message}` : `${whole} does not fit its schema`;
  return new RequestError("invalid_request", message, first?.pattern === String(profilePattern) ? ID_HINT : hint);
}

/** Rejects a request that its route's schema rejects, and names the first bad field. */
export const onInvalid: Hook<unknown, AppEnv, string, void> = (result) => {
  if (result.success) return;
  const hint = "GET /openapi.json gives the schema of every request.";
  throw invalidRequest(result.error, PARTS[result.target] ?? "the body", hint);
};
