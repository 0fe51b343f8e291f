import type { Browser, Page } from "playwright-core";
import { chromiumPath, openPage, startBrowser } from "../../test/support/browser.ts";
import type { Bench, Row } from "../bench.ts";
import { MissingDependency } from "../programs.ts";
import { medianOf } from "../statistics.ts";
import { pushDemo, withWorker } from "../with-worker.ts";

const VIEWS = { Compare: "/", Teach: "/teach", Profiles: "/profiles" } as const;
const PROFILES = 10_000;

/** A phone on a slow mobile network: Lighthouse's profile of slow 4G, and a processor four times as slow. */
const NETWORK = { offline: false, latency: 150, downloadThroughput: 1.6e6 / 8, uploadThroughput: 750e3 / 8 };
const CPU_RATE = 4;

/** Records how long the page has blocked. A task of less than 50 ms is not reported. */
const OBSERVE = `
window.blocks = [];
new PerformanceObserver((list) => window.blocks.push(...list.getEntries().map(({ duration }) => duration)))
  .observe({ type: "longtask", buffered: true });
`;

const openWithKey = (browser: Browser, url: URL, key: string) =>
  openPage(browser, url, async (context) => {
    await context.addInitScript(`sessionStorage.setItem("xpeft-key", ${JSON.stringify(key)});${OBSERVE}`);
  });

/** Returns the seconds to the first paint on the phone, with an empty cache. */
async function firstPaint(browser: Browser, url: URL): Promise<number> {
  const { page } = await openPage(browser, new URL("about:blank"));
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", NETWORK);
  await session.send("Emulation.setCPUThrottlingRate", { rate: CPU_RATE });
  await page.goto(url.href);
  const milliseconds = await page.evaluate<number>(
    `performance.getEntriesByName("first-contentful-paint")[0].startTime`,
  );
  await page.context().close();
  return milliseconds / 1000;
}

const heading = (page: Page, name: string) => page.getByRole("heading", { name, exact: true }).waitFor();

/** What a user does in each view with 10,000 profiles. */
const USE: Record<keyof typeof VIEWS, (page: Page, profiles: string) => Promise<void>> = {
  async Compare(page, profiles) {
    await page.locator("#text").pressSequentially("Senate passes bill after long night", { delay: 20 });
    await heading(page, `All ${profiles} profiles`);
    await page.locator(".groups button").first().click();
    await page.locator("#members").press("End");
  },
  async Teach(page) {
    // As a script enters them: inserting many lines as if typed takes the browser itself half a second.
    await page.locator("#add").waitFor();
    const lines = Array.from({ length: 200 }, (_, place) => `Sentence ${place}`).join("\n");
    await page.evaluate(`{
      const field = document.querySelector("#add");
      field.value = ${JSON.stringify(lines)};
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }`);
    await page.getByRole("button", { name: "Add" }).click();
    await heading(page, "0 of 200 labelled");
    await page.locator("h1").click();
    await page.keyboard.press("1");
    await heading(page, "1 of 200 labelled");
  },
  async Profiles(page, profiles) {
    await heading(page, `${profiles} profiles`);
    await page.getByRole("img", { name: "A map of" }).waitFor();
    await page.locator("#profile-list").press("End");
    await page.locator("#search").pressSequentially("01", { delay: 20 });
    await page.locator("#order").selectOption("newest");
  },
};

export const pages: Bench = {
  name: "pages",
  description: "the playground: first paint on a phone, and its longest block with 10,000 profiles",
  async run({ quick, progress }) {
    if (!chromiumPath) throw new MissingDependency("This machine has no Chromium.");
    const { profiles, starts } = quick ? { profiles: 100, starts: 1 } : { profiles: PROFILES, starts: 7 };
    const browser = await startBrowser();
    try {
      return await withWorker(async (worker) => {
        await pushDemo(worker, profiles);
        const table: Row[] = [];
        for (const [place, [view, path]] of Object.entries(VIEWS).entries()) {
          progress(place, Object.keys(VIEWS).length, "views");
          const paints: number[] = [];
          for (let start = 0; start < starts; start++)
            paints.push(await firstPaint(browser, new URL(path, worker.url)));
          const blocks: number[] = [];
          for (let start = 0; start < starts; start++) {
            const { page } = await openWithKey(browser, new URL(path, worker.url), worker.adminKey);
            await USE[view as keyof typeof VIEWS](page, profiles.toLocaleString("en"));
            // The observer hears of a long task after it has ended.
            await page.evaluate("new Promise((resolve) => setTimeout(() => requestAnimationFrame(resolve), 200))");
            const seen = await page.evaluate<number[]>("window.blocks");
            blocks.push(Math.max(0, ...seen));
            await page.context().close();
          }
          table.push({ view, "first paint, s": medianOf(paints), "longest block, ms": medianOf(blocks) });
        }
        const most = (column: string) => Math.max(...table.map((row) => Number(row[column])));
        return {
          figures: {
            page_first_paint_s: { value: most("first paint, s"), unit: "s", goal: { most: 1 } },
            page_longest_block_ms: { value: most("longest block, ms"), unit: "ms", goal: { most: 100 } },
          },
          table,
        };
      });
    } finally {
      await browser.close();
    }
  },
};
