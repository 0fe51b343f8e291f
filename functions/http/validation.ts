import type { Hook } from "@hono/zod-openapi";
import type { AppEnv } from "./env.ts";
import { RequestError } from "./problem-codes.ts";

type Issue = { path: PropertyKey[]; message: string; code?: string; errors?: Issue[][] };

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

/**
 * Describes the first field that a schema rejects, and why.
 *
 * @param whole the name of the value itself
 */
export function describeInvalid(error: { issues: unknown }, whole: string): string {
  const [first] = leaves(error.issues as Issue[]);
  return first ? `${formatPath(first.path, whole)}: ${first.message}` : `${whole} does not fit its schema`;
}

/** Rejects a request that its route's schema rejects, and names the first bad field. */
export const onInvalid: Hook<unknown, AppEnv, string, void> = (result) => {
  if (result.success) return;
  throw new RequestError(
    "invalid_request",
    describeInvalid(result.error, PARTS[result.target] ?? "the body"),
    "GET /openapi.json gives the schema of every request.",
  );
};
