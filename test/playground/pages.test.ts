import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readBundle } from "../../cli/files.ts";
import { runProgram } from "../support/processes.ts";
import { profilesOf, taskFor } from "../support/rows.ts";
import { type RunningWorker, startWorker } from "../support/worker.ts";

const browser = ["chromium", "chromium-browser", "google-chrome"].find(
  (name) => spawnSync(name, ["--version"]).status === 0,
);

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker();
  await worker.push(taskFor(await readBundle("bundles/minilm-l6-v2")), profilesOf(2));
});
afterAll(() => worker.close());

/** What a page is after its scripts have run, and what the browser found to say about it. */
async function seen(path: string): Promise<{ page: string; complaints: string[] }> {
  const flags = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--enable-logging=stderr",
    "--virtual-time-budget=10000",
  ];
  const url = new URL(path, worker.url).href;
  const { stdout, stderr } = await runProgram(browser ?? "", [...flags, "--dump-dom", url]);
  return { page: stdout, complaints: stderr.split("\n").filter((line) => line.includes("CONSOLE")) };
}

it.skipIf(!browser)(
  "draws the API's description, with nothing refused by its own policy (needs a Chromium)",
  async () => {
    const { page, complaints } = await seen("/docs");
    expect(page).toContain("rollback");
    expect(page).toContain("opblock-post");
    expect(complaints).toEqual([]);
  },
);

it.skipIf(!browser)("fills the playground with the tasks (needs a Chromium)", async () => {
  const { page, complaints } = await seen("/");
  expect(page).toMatch(/<option[^>]*>demo<\/option>/);
  expect(complaints).toEqual([]);
});
