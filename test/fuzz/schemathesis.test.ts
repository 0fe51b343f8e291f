import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readBundle } from "../../node/files.ts";
import type { Scope } from "../../src/auth/access.ts";
import { isLongForm } from "../support/long-form.ts";
import { runProgram } from "../support/processes.ts";
import { profilesOf, taskFor } from "../support/rows.ts";
import { type RunningWorker, startWorker } from "../support/worker.ts";

const HERE = import.meta.dirname;

/** Cases for each operation and phase, in addition to those at the schemas' edges. */
const EXAMPLES = isLongForm ? "200" : "3";

const schemathesis = resolve(HERE, "../../training/.venv/bin/schemathesis");
const withoutIt = existsSync(schemathesis) ? undefined : `needs the training half's ${schemathesis}`;

let worker: RunningWorker;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "xpeft-fuzz-"));
  worker = await startWorker({ vars: { PUBLIC_PREDICT: "false" } });
  const bundle = await readBundle("bundles/minilm-l6-v2");
  for (const name of ["news", "demo"]) {
    await worker.push(taskFor(bundle, { name }), [...profilesOf(20), ...profilesOf(20).map(renamed)]);
  }
});
afterAll(async () => {
  await worker?.close();
  await rm(folder, { recursive: true, force: true });
});

/** The ids in the OpenAPI document's examples. */
const renamed = (profile: ReturnType<typeof profilesOf>[number]) => ({
  ...profile,
  id: profile.id.replace("demo", "news"),
});

/** Most cases are at the schemas' edges, which the phase "coverage" tries. Only the long form runs it. */
const PHASES = isLongForm ? "examples,coverage,fuzzing,stateful" : "examples,fuzzing,stateful";

it.each<[string, Scope[] | null]>([
  ["without a key", null],
  ["with a key for texts and profiles", ["predict", "write"]],
  ["with a key for everything", ["predict", "list", "learn", "write", "admin"]],
])("finds no failure %s", { timeout: 7_200_000 }, async (_, scopes) => {
  if (withoutIt) return console.info(`Skipped: ${withoutIt}`);
  const key = scopes && (await worker.makeKey({ scopes }));
  const auth = key ? ["--header", `Authorization: Bearer ${key}`] : [];
  const args = ["--config-file", join(HERE, "schemathesis.toml"), "run", `${worker.url}openapi.json`];
  const { code, stdout } = await runProgram(
    schemathesis,
    [...args, "--checks", "all", "--phases", PHASES, "--max-examples", EXAMPLES, ...auth],
    { cwd: folder, env: { PYTHONPATH: HERE, SCHEMATHESIS_HOOKS: "hooks" } },
  );
  const summary = stdout.slice(stdout.indexOf("Test cases:"));
  console.info(`${key ? "" : "No key. "}${summary.slice(0, summary.indexOf("Seed")).trim()}`);
  expect(code === 0 ? "" : stdout).toBe("");
});
