import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBundle } from "../../node/files.ts";
import { type Browser, chromium, type Screen, startBrowser } from "../support/browser.ts";
import { profilesOf, taskFor } from "../support/rows.ts";
import { type RunningWorker, startWorker } from "../support/worker.ts";

/** All that a page may weigh, scripts and styles included. */
const MOST_BYTES = 200_000;

const SCREENS: Screen[] = [
  { width: 1200, scheme: "light" },
  { width: 1200, scheme: "dark" },
  { width: 360, scheme: "light" },
  { width: 360, scheme: "dark" },
];

const PAGES = ["/", "/learn"];

let worker: RunningWorker;
let browser: Browser;

beforeAll(async () => {
  if (!chromium) return;
  [worker, browser] = await Promise.all([startWorker(), startBrowser()]);
  await worker.push(taskFor(await readBundle("bundles/minilm-l6-v2")), profilesOf(3));
});
afterAll(async () => {
  await browser?.close();
  await worker?.close();
});

/** Makes the page that compares show all that it has. */
const ANSWERED = `(async () => {
  if (!at("compare")) return;
  at("key").value = KEY;
  at("profiles").value = "demo-000\\ndemo-001\\nnobody";
  at("text").value = at("labelled").value = "A text\\tlow";
  await compare();
  at("profiles").value = "demo-000\\ndemo-001";
  await compare();
  await tryAll();
})()`;

describe.skipIf(!chromium)("the playground's pages (need a Chromium)", () => {
  it.each(PAGES.flatMap((path) => SCREENS.map((screen) => ({ path, ...screen }))))(
    "$path is for everybody at $width pixels in a $scheme scheme",
    async ({ path, ...screen }) => {
      const page = await browser.open(new URL(path, worker.url).href);
      await page.screen(screen);
      await page.until(`at("task").value === "demo"`);
      await page.value(ANSWERED.replace("KEY", JSON.stringify(worker.adminKey)));
      await page.screenshot(`${path === "/" ? "compare" : "learn"}-${screen.width}-${screen.scheme}`);
      await page.value(await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
      const found = await page.value<{ id: string; nodes: { html: string; failureSummary: string }[] }[]>(
        "axe.run().then(({ violations }) => violations)",
      );
      expect(
        found.map(({ id, nodes }) => [id, ...nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`)]),
      ).toEqual([]);
      // Nothing is wider than the screen, but for what scrolls within itself.
      expect(await page.value("document.documentElement.scrollWidth")).toBeLessThanOrEqual(screen.width);
      expect(page.complaints).toEqual([]);
    },
  );

  it.each(PAGES)("%s weighs little, and asks nobody else", async (path) => {
    const response = await worker.get(path);
    expect((await response.arrayBuffer()).byteLength).toBeLessThan(MOST_BYTES);
    const page = await browser.open(new URL(path, worker.url).href);
    await page.until(`at("task").value === "demo"`);
    const asked = await page.value<string[]>(`performance.getEntriesByType("resource").map(({ name }) => name)`);
    expect(asked.filter((url) => !url.startsWith(worker.url.origin) && !url.startsWith("data:"))).toEqual([]);
  });
});
