import type { Browser, Page } from "playwright-core";
import { readBundle } from "../../node/files.ts";
import { type OpenPage, openPage, startBrowser } from "../support/browser.ts";
import { POOLED_SHAPE, pooledAdapterOf, profilesOf, taskFor } from "../support/rows.ts";
import { type RunningWorker, startWorker } from "../support/worker.ts";

/**
 * The Worker of all page tests. Its task `demo` has eight profiles: tests compare the first and learn the last. Its task
 * `plain` has two profiles, and neither they nor its default have masks. Its task `pooled` has a pool of its own and two
 * profiles.
 */
export let worker: RunningWorker;

let browser: Browser;

export async function startPages(): Promise<void> {
  // Rows are cached as in the deploy, so a page that does not bypass the cache shows old answers and fails.
  [worker, browser] = await Promise.all([startWorker(), startBrowser()]);
  const bundle = await readBundle("bundles/minilm-l6-v2");
  await worker.push(taskFor(bundle), profilesOf(8));
  const masks = new Uint8Array();
  await worker.push(
    taskFor(bundle, { name: "plain", masks }),
    profilesOf(2).map((profile) => ({ ...profile, masks })),
  );
  const pooled = taskFor(bundle, { name: "pooled", masks, adapter: pooledAdapterOf(1) });
  await worker.push(pooled, profilesOf(2, POOLED_SHAPE));
}

export async function stopPages(): Promise<void> {
  await browser?.close();
  await worker?.close();
}

/** Opens a path of the Worker. */
export const openPath = (path: string): Promise<OpenPage> => openPage(browser, new URL(path, worker.url));

/** Opens a page of the playground, and waits for its list of tasks. */
export async function openPlayground(path: string): Promise<OpenPage> {
  const opened = await openPath(path);
  await opened.page.locator("#task option", { hasText: "demo" }).waitFor({ state: "attached" });
  return opened;
}

/** Returns what a user can do with a page's form by keyboard. Elements are named by their ids. */
export function actionsOn(page: Page) {
  const at = (id: string) => page.locator(`#${id}`);
  return {
    at,
    fill: (id: string, text: string) => at(id).fill(text),
    press: (id: string) => at(id).press("Enter"),
    // biome-ignore lint/performance/useDomNodeTextContent: the text as displayed, with the layout's spaces and lines
    textOf: (id: string) => at(id).innerText(),
    /** Waits until an element has the focus. */
    focused: (id: string) => page.locator(`#${id}:focus`).waitFor(),
    /**
     * Records the texts that elements have from now on, because a poll misses those of a moment.
     *
     * @returns a function that returns an element's texts so far
     */
    async recordTexts(ids: readonly string[]): Promise<(id: string) => Promise<string[]>> {
      await page.evaluate(
        `window.texts = {};
        for (const id of ${JSON.stringify(ids)}) {
          const [element, seen] = [document.getElementById(id), (window.texts[id] = [])];
          const record = () => seen.push(element.ariaValueText ?? element.textContent);
          new MutationObserver(record).observe(element, { attributes: true, childList: true });
        }`,
      );
      return (id) => page.evaluate<string[]>(`window.texts[${JSON.stringify(id)}]`);
    },
  };
}
