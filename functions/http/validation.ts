import type { Hook } from "@hono/zod-openapi";
import type { AppEnv } from "./env.ts";
import { RequestError } from "./problem-codes.ts";

type Issue = { path: PropertyKey[]; message: string; code?: string; errors?: Issue[][] };

/** Writes a path as `inputs[3].text`. */
function written(path: PropertyKey[], whole: string): string {
  const joined = path.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("");
  return joined.replace(/^\./, "") || whole;
}

/** The issues of a schema, with those of a union replaced by the ones of the branch whose type the value is of. */
function leaves(issues: readonly Issue[], prefix: PropertyKey[] = []): Issue[] {
  return issues.flatMap((issue) => {
    const path = [...prefix, ...issue.path];
    const branches = (issue.errors ?? []).map((branch) => leaves(branch, path));
    const ofAnotherType = (leaf: Issue) => leaf.code === "invalid_type" && leaf.path.length === path.length;
    return branches.find((branch) => !branch.some(ofAnotherType)) ?? [{ ...issue, path }];
  });
}

/** What the parts of a request are called. */
const PARTS: Partial<Record<string, string>> = { query: "the query", header: "the headers", param: "the path" };

/**
 * Names the first field that a schema refuses, and why.
 *
 * @param whole what to call the value itself
 */
export function describeInvalid(error: { issues: unknown }, whole: string): string {
  const [first] = leaves(error.issues as Issue[]);
  return first ? `${written(first.path, whole)}: ${first.message}` : `${whole} does not fit its schema`;
}

/** Refuses what a route's schema refuses, naming the first bad field. */
export const onInvalid: Hook<unknown, AppEnv, string, void> = (result) => {
  if (result.success) return;
  throw new RequestError(
    "invalid_request",
    describeInvalid(result.error, PARTS[result.target] ?? "the body"),
    "GET /openapi.json gives the schema of every request.",
  );
};
