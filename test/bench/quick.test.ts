import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { benches } from "../../bench/benches/index.ts";
import { isLongForm } from "../support/long-form.ts";
import { missingPython } from "../support/python.ts";

const TIMEOUT_MS = 1_800_000;

/** One that measures in the Worker and draws a plot. `npm run test:long` runs all. */
const SHORT = ["merge"];

/** Python writes what these measure. */
const NEED_PYTHON = ["variants", "engines"];

const runnable = benches.filter(({ name }) =>
  isLongForm ? !NEED_PYTHON.includes(name) || missingPython === undefined : SHORT.includes(name),
);

const run = promisify(execFile);
let out: string;

beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), "xpeft-bench-"));
});
afterAll(() => rm(out, { recursive: true, force: true }));

const readJson = async (file: string) => JSON.parse(await readFile(join(out, file), "utf8"));

it(
  `runs ${isLongForm ? "every bench" : SHORT.join(" and ")} with --quick and saves what it measures`,
  async () => {
    const { stdout } = await run(
      process.execPath,
      ["bench/run.ts", ...runnable.map(({ name }) => name), "--quick", "--out", out],
      { timeout: TIMEOUT_MS },
    );
    const latest = await readJson("latest.json");
    for (const { name, description } of runnable) {
      expect(stdout).toContain(`${name}: ${description}`);
      const { command, figures, table } = await readJson(`${name}.json`);
      expect(command).toBe(`npm run bench -- ${name}`);
      expect(table.length).toBeGreaterThan(0);
      for (const [figure, { value }] of Object.entries<{ value: number }>(figures)) {
        expect(value, figure).toBeTypeOf("number");
        expect(latest[figure], figure).toBe(value);
      }
    }
    const plots = (await readdir(out)).filter((file) => file.endsWith(".svg"));
    expect(plots.length).toBeGreaterThan(0);
    for (const plot of plots) {
      expect(await readFile(join(out, plot), "utf8"), plot).toMatch(/^<svg/);
    }
  },
  TIMEOUT_MS,
);

it("lists the benches if asked for an unknown one", async () => {
  const failed = run(process.execPath, ["bench/run.ts", "speed"]);
  await expect(failed).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining("overhead") });
});
