import type { Hook } from "@hono/zod-openapi";
import type { AppEnv } from "../env.ts";
import { RequestError } from "../problem.ts";

type Issue = { path: PropertyKey[]; message: string; code?: string; errors?: Issue[][] };

/** Writes a path as `inputs[3].text`. */
function written(path: PropertyKey[]): string {
  const joined = path.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("");
  return joined.replace(/^\./, "") || "the body";
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

/** Refuses what a route's schema refuses, naming the first bad field. */
export const onInvalid: Hook<unknown, AppEnv, string, void> = (result) => {
  if (result.success) return;
  const [first] = leaves(result.error.issues as Issue[]);
  throw new RequestError(
    "invalid_request",
    first ? `${written(first.path)}: ${first.message}` : "The request does not fit its schema.",
    "GET /openapi.json gives the schema of every request.",
  );
};
