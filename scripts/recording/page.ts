import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { openPage } from "../../test/support/browser.ts";

/** A line around the page: a white page on a white document has no edge. */
const EDGE = `
  const edge = document.createElement("div");
  const border = "1px solid rgb(128 128 128 / 45%)";
  Object.assign(edge.style, { position: "fixed", inset: 0, border, zIndex: 8, pointerEvents: "none" });
  document.body.append(edge);`;

/** A page to take pictures of. */
export interface Subject {
  readonly page: Page;
  /** @throws Error if the browser has reported any */
  close(): Promise<void>;
}

/** Opens a page of the running Worker, with a line around it. */
export async function openSubject(browser: Browser, url: URL, options: BrowserContextOptions): Promise<Subject> {
  const { page, browserErrors } = await openPage(browser, url, undefined, options);
  await page.evaluate(EDGE);
  return {
    page,
    async close() {
      await page.context().close();
      if (browserErrors.length > 0) throw new Error(`The page reported errors:\n${browserErrors.join("\n")}`);
    },
  };
}
