// Checks that test/conformance/ notices when a platform differs: each mutation is applied to a copy of the project, and
// the suite must fail there. It must pass without a mutation. `node test/mutation/platforms.mjs clock` runs that one.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What a failing test polls for is not there, so it need not wait for long. */
const POLL_MS = 20_000;

/** @type {[name: string, runtime: string, file: string, from: string, to: string][]} */
const MUTATIONS = [
  ["nothing", "node", "node/server/platform.ts", "", ""],
  ["clock", "node", "node/server/platform.ts", "Date.now()", "Date.now() + 3_600_000"],
  ["clock of workerd", "workerd", "functions/platform/workers.ts", "Date.now()", "Date.now() + 3_600_000"],
  [
    "security header",
    "bun",
    "node/server/server.ts",
    "const app = createApp();",
    'const app = createApp(), { fetch } = app; app.fetch = (async (...all) => { const answer = await fetch(...all); answer.headers.delete("x-frame-options"); return answer; }) as typeof fetch;',
  ],
  ["work after an answer", "node", "node/server/server.ts", "pending.add(settled);", ""],
  [
    "work of a stream",
    "deno",
    "app/middleware/request-log.ts",
    "c.executionCtx.waitUntil(streaming.then(() => write(c, start)));",
    "",
  ],
  ["disconnect", "bun", "app/http/ndjson.ts", "await text.return(undefined);\n      ended();", ""],
  ["connection of a busy statement", "node", "node/server/open-database.ts", "await client.reconnect();", ""],
  ["large headers", "deno", "node/server/server.ts", "maxHeaderSize: 128 * 1024,", ""],
  ["limit", "deno", "node/server/limits.ts", "points: requests", "points: requests + 1"],
  [
    "hint",
    "bun",
    "node/server/hints.ts",
    "Retry. If this persists, check that the database",
    "Look into wrangler.toml. Check that the database",
  ],
  ["address of a page", "node", "node/server/docs.ts", "{ address: page }", "{ file: path, bytes }"],
];

/** Runs the suite on a copy of the project with one mutation. @returns the output of a failed run; null if it passed */
function suiteOf([, runtime, file, from, to]) {
  const copy = mkdtempSync(join(tmpdir(), "xpeft-mutated-"));
  try {
    for (const folder of ["node_modules", "bundles"]) symlinkSync(join(root, folder), join(copy, folder));
    const { stdout } = spawnSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
      cwd: root,
      encoding: "utf8",
    });
    const paths = stdout.split("\0").filter((path) => path !== "" && !path.startsWith("bundles/"));
    for (const path of [...paths, "dist"])
      cpSync(join(root, path), join(copy, path), { recursive: true, preserveTimestamps: true });
    const source = readFileSync(join(copy, file), "utf8");
    if (!source.includes(from)) throw new Error(`${file} has no ${JSON.stringify(from)} to mutate.`);
    writeFileSync(
      join(copy, file),
      source.replace(from, () => to),
    );
    const vitest = join("node_modules", "vitest", "vitest.mjs");
    const args = ["run", "--project", "node", `test/conformance/${runtime}.test.ts`, "--bail=1"];
    const run = spawnSync(process.execPath, [vitest, ...args], {
      cwd: copy,
      encoding: "utf8",
      env: { ...process.env, CI: "1", XPEFT_POLL_MS: String(POLL_MS) },
    });
    return run.status === 0 ? null : run.stdout + run.stderr;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

const wanted = process.argv[2];
for (const mutation of MUTATIONS.filter(([name]) => wanted === undefined || name === wanted)) {
  const [name, runtime] = mutation;
  const failure = suiteOf(mutation);
  const [, test = ""] = /FAIL.*test\.ts > (.*)/.exec(stripVTControlCharacters(failure ?? "")) ?? [];
  console.log(`${name}, on ${runtime}: ${failure === null ? "passes" : `fails ${test}`}`);
  if ((failure === null) === (name === "nothing") && (failure === null || test !== "")) continue;
  console.log(failure ?? "The suite does not notice.");
  process.exitCode = 1;
}
