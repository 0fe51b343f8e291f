import type { Browser, Locator, Page } from "playwright-core";
import { expect } from "vitest";
import { readBundle } from "../../node/files.ts";
import type { NewTask } from "../../src/profiles/task.ts";
import { type OpenPage, openPage, startBrowser } from "../support/browser.ts";
import { POOLED_SHAPE, pooledAdapterOf, profilesFile, profilesOf, taskFile, taskFor } from "../support/rows.ts";
import { type RunningWorker, startWorker } from "../support/worker.ts";

export const TEXT = "Senate passes bill after long night";

/** How many profiles the task `readers` has. */
export const MANY = 10_000;

/**
 * The Worker of all page tests. Its task `demo` has sixteen profiles. Its task `plain` has two profiles, and neither they
 * nor its default have masks. Its task `pooled` has a pool of its own and three profiles. Its task `readers` has
 * {@link MANY} profiles that differ in their label bias. Its task `many-labels` has 30 labels and no profiles.
 */
export let worker: RunningWorker;

let browser: Browser;

async function importReaders(task: NewTask): Promise<void> {
  await worker.request("PUT", `/v1/tasks/${task.name}`, { body: taskFile(task) });
  const profiles = Array.from({ length: MANY }, (_, index) => ({
    id: `reader-${String(index).padStart(5, "0")}`,
    masks: new Uint8Array(),
    labelBias: Uint8Array.of(index % 128, (5 * index) % 128, (11 * index) % 128),
  }));
  const answer = await worker.request("POST", `/v1/tasks/${task.name}/import`, {
    body: profilesFile(task.name, profiles),
    headers: { "content-type": "application/x-ndjson" },
  });
  expect(await answer.text()).toContain(`"created":${MANY}`);
}

export async function startPages(): Promise<void> {
  // Rows are cached as in the deploy, so a page that does not bypass the cache shows old answers and fails.
  [worker, browser] = await Promise.all([startWorker(), startBrowser()]);
  const bundle = await readBundle("bundles/minilm-l6-v2");
  await worker.push(taskFor(bundle), profilesOf(16));
  const masks = new Uint8Array();
  await worker.push(
    taskFor(bundle, { name: "plain", masks }),
    profilesOf(2).map((profile) => ({ ...profile, masks })),
  );
  const pooled = taskFor(bundle, { name: "pooled", masks, adapter: pooledAdapterOf(1) });
  await worker.push(pooled, profilesOf(3, POOLED_SHAPE));
  const labels = Array.from({ length: 30 }, (_, place) => `label ${place}`);
  await worker.push(taskFor(bundle, { name: "many-labels", labels }), []);
  await importReaders(taskFor(bundle, { name: "readers", masks }));
}

export async function stopPages(): Promise<void> {
  await browser?.close();
  await worker?.close();
}

/** Opens a path of the Worker. */
export const openPath = (path: string): Promise<OpenPage> => openPage(browser, new URL(path, worker.url));

/** What a test finds and does on a page. */
export interface View extends OpenPage {
  at(id: string): Locator;
  button(name: string | RegExp): Locator;
  /** Returns an element's text as displayed. @param element the element, or its id */
  textOf(element: string | Locator): Promise<string>;
  /** Closes the page, and fails if the browser has reported an error. */
  close(): Promise<void>;
}

/** Returns what tests do on an open page. */
function viewOf(opened: OpenPage): View {
  const { page, browserErrors } = opened;
  const at = (id: string) => page.locator(`#${id}`);
  return {
    ...opened,
    at,
    button: (name) => page.getByRole("button", { name }),
    // biome-ignore lint/performance/useDomNodeTextContent: the text as displayed, with the layout's spaces and lines
    textOf: (element) => (typeof element === "string" ? at(element) : element).innerText(),
    async close() {
      await page.context().close();
      expect(browserErrors).toEqual([]);
    },
  };
}

interface ViewOptions {
  /** The key that the tab has; the admin's by default, null for none. */
  readonly key?: string | null;
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: "light" | "dark";
  /** Where the page comes from, if not from the Worker itself. */
  readonly origin?: string;
}

/** Opens a view of the playground with a task. */
export async function openView(path: string, task: string, options: ViewOptions = {}): Promise<View> {
  const { key = worker.adminKey, width = 1200, height = 900, scheme = "light", origin = worker.url.href } = options;
  const url = new URL(`${path}?task=${task}`, origin);
  const opened = await openPage(browser, url, async (context) => {
    if (key !== null) await context.addInitScript(`sessionStorage.setItem("xpeft-key", ${JSON.stringify(key)})`);
  });
  await opened.page.setViewportSize({ width, height });
  await opened.page.emulateMedia({ colorScheme: scheme });
  return viewOf(opened);
}

/** Presses the Tab key until an element has the focus. @throws Error if it never has */
export async function tabTo(page: Page, selector: string): Promise<void> {
  const MOST = 60;
  for (let presses = 0; presses < MOST; presses++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate<boolean>(`document.activeElement?.matches(${JSON.stringify(selector)}) ?? false`)) return;
  }
  throw new Error(`The Tab key does not reach ${selector}.`);
}

/** Returns the API's label for each profile. */
export async function labelsOf(task: string, text: string, profiles: readonly string[]): Promise<Map<string, string>> {
  const answer = await worker.predict({ task, inputs: profiles.map((profile) => ({ profile, text })) });
  const { predictions } = await answer.json<{ predictions: { profile: string; label: string }[] }>();
  return new Map(predictions.map(({ profile, label }) => [profile, label]));
}
