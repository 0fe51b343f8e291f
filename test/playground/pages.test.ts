import { afterAll, beforeAll, expect, it } from "vitest";
import { readBundle } from "../../node/files.ts";
import { chromium } from "../support/browser.ts";
import { runProgram } from "../support/processes.ts";
import { profilesOf, taskFor } from "../support/rows.ts";
import { type RunningWorker, startWorker } from "../support/worker.ts";

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
  const { stdout, stderr } = await runProgram(chromium ?? "", [...flags, "--dump-dom", url]);
  return { page: stdout, complaints: stderr.split("\n").filter((line) => line.includes("CONSOLE")) };
}

it.skipIf(!chromium)(
  "draws the API's description, with nothing refused by its own policy (needs a Chromium)",
  async () => {
    const { page, complaints } = await seen("/docs");
    expect(page).toContain("rollback");
    expect(page).toContain("opblock-post");
    expect(complaints).toEqual([]);
  },
);

it.skipIf(!chromium).each(["/", "/learn"])(
  "fills the playground's page %s with the tasks (needs a Chromium)",
  async (path) => {
    const { page, complaints } = await seen(path);
    expect(page).toMatch(/<option[^>]*>demo<\/option>/);
    expect(complaints).toEqual([]);
  },
);
