import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { violationsOf } from "../support/axe.ts";
import { saveScreenshot } from "../support/browser.ts";
import { openView, TEXT, type View, worker } from "./pages.ts";

/** The most bytes of the page with its script and style, not compressed. */
const MAX_BYTES = 250_000;

const SCREENS = [1440, 768, 360].flatMap((width) => [
  { width, scheme: "light" as const },
  { width, scheme: "dark" as const },
]);

/** Makes each view show every part that it has. */
const SHOW_ALL: Record<string, (view: View) => Promise<void>> = {
  async "/"({ page, at }) {
    await at("text").fill(TEXT);
    await page.getByRole("heading", { name: /^All \d+ profiles$/ }).waitFor();
    await page.locator(".groups button").first().click();
    for (const summary of await page.locator("summary").all()) await summary.click();
    await at("profiles").fill("demo-000\ndemo-001\nnobody");
    await at("profiles").blur();
    await at("answers").locator(".problem").waitFor();
  },
  async "/teach"({ page, at, button }) {
    await at("add").fill(
      "A boat\tlow\nA pond\tlow\nA duck\tlow\nA gear\thigh\nAn engine\thigh\nA piston\thigh\nA text",
    );
    await button("Add").click();
    await page.getByRole("img", { name: "Held-out accuracy" }).waitFor();
    await at("find-closest").click();
    await at("closest").waitFor();
    await at("undo-profile").waitFor();
  },
  async "/profiles"({ page, at }) {
    await page.getByRole("img", { name: "A map of" }).waitFor();
    await at("neighbours").waitFor();
    await at("mask-grid").focus();
  },
};

export function testAccessibility(): void {
  describe.each(Object.keys(SHOW_ALL))("%s", (path) => {
    let view: View;

    beforeAll(async () => {
      view = await openView(path, "demo");
      await SHOW_ALL[path]?.(view);
    });
    afterAll(() => view?.close());

    it.each(SCREENS)("is accessible at $width pixels in a $scheme scheme", async ({ width, scheme }) => {
      const { page } = view;
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme: scheme });
      await saveScreenshot(page, `${path.slice(1) || "compare"}-${width}-${scheme}`);
      expect(await violationsOf(page)).toEqual([]);
      // Nothing is wider than the screen, except elements that scroll.
      expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
    });

    it("has what a screen reader goes by: one main heading, named parts, and messages that are read aloud", async () => {
      const { page } = view;
      expect(await page.getByRole("heading", { level: 1 }).count()).toBe(1);
      const tree = await page.locator("body").ariaSnapshot();
      for (const part of ['navigation "Views"', "main", "status"]) expect(tree).toContain(`- ${part}`);
      expect(await page.locator("nav [aria-current=page]").count()).toBe(1);
      const nameless = /- (button|textbox|combobox|link|listbox|slider|checkbox)(:| \[|$)/m;
      expect(tree).not.toMatch(nameless);
    });

    it("loads nothing from other origins", async () => {
      const urls = await view.page.evaluate<string[]>(
        `performance.getEntriesByType("resource").map(({ name }) => name)`,
      );
      expect(urls).not.toEqual([]);
      expect(urls.filter((url) => !url.startsWith(worker.url.origin) && !url.startsWith("data:"))).toEqual([]);
    });
  });

  it("is small", async () => {
    const sizes = await Promise.all(
      ["/", "/app.js"].map(async (path) => (await (await worker.get(path)).arrayBuffer()).byteLength),
    );
    expect(sizes.reduce((sum, bytes) => sum + bytes)).toBeLessThan(MAX_BYTES);
  });
}
