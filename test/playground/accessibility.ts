import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type OpenPage, saveScreenshot } from "../support/browser.ts";
import { actionsOn, openPlayground, worker } from "./pages.ts";

/** The maximum size of a page, scripts and styles included. */
const MAX_BYTES = 200_000;

const SCREENS = [
  { width: 1200, scheme: "light" },
  { width: 1200, scheme: "dark" },
  { width: 360, scheme: "light" },
  { width: 360, scheme: "dark" },
] as const;

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** Makes the compare page show every part it has, including a profile with an error. */
async function showEverything({ page }: OpenPage): Promise<void> {
  const { at, fill, press } = actionsOn(page);
  await fill("key", worker.adminKey);
  await fill("profiles", "demo-000\ndemo-001\nnobody");
  await fill("text", "A text");
  await press("compare");
  await at("masks").locator("table").waitFor();
  await fill("sentence", "A text");
  await press("label");
  await at("audience-status").getByText("8 profiles.").waitFor();
  await at("bars").locator("input").first().check();
  await fill("labelled", "A text\tlow");
  await press("rank");
  await at("rank-status").getByText("1 text, 3 profiles.").waitFor();
  await at("answers").locator(".problem").waitFor();
}

export function testAccessibility(): void {
  describe.each(["/", "/learn"])("%s", (path) => {
    let opened: OpenPage;

    beforeAll(async () => {
      opened = await openPlayground(path);
      if (path === "/") await showEverything(opened);
      await opened.page.evaluate(await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
    });
    afterAll(() => opened?.page.context().close());

    it.each(SCREENS)("is accessible at $width pixels in a $scheme scheme", async ({ width, scheme }) => {
      const { page, browserErrors } = opened;
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme: scheme });
      await saveScreenshot(page, `${path === "/" ? "compare" : "learn"}-${width}-${scheme}`);
      const violations = await page.evaluate<Violation[]>("axe.run().then(({ violations }) => violations)");
      expect(
        violations.map(({ id, nodes }) => [
          id,
          ...nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`),
        ]),
      ).toEqual([]);
      // Nothing is wider than the screen, except elements that scroll.
      expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
      expect(browserErrors).toEqual([]);
    });

    it("is small, and loads nothing from other origins", async () => {
      const response = await worker.get(path);
      expect((await response.arrayBuffer()).byteLength).toBeLessThan(MAX_BYTES);
      const urls = await opened.page.evaluate<string[]>(
        `performance.getEntriesByType("resource").map(({ name }) => name)`,
      );
      expect(urls).not.toEqual([]);
      expect(urls.filter((url) => !url.startsWith(worker.url.origin) && !url.startsWith("data:"))).toEqual([]);
    });
  });
}
