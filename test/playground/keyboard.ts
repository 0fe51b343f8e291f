import { afterEach, expect, it } from "vitest";
import { openView, TEXT, tabTo, type View } from "./pages.ts";

const SCREENS = [360, 768, 1440].flatMap((width) => [
  { width, scheme: "light" as const },
  { width, scheme: "dark" as const },
]);

/** All views with 10,000 profiles, by keyboard alone. */
export function testKeyboard(): void {
  let view: View;
  afterEach(() => view.close());

  it.each(SCREENS)("works by keyboard at $width pixels in a $scheme scheme", async (screen) => {
    view = await openView("/", "readers", screen);
    const { page } = view;
    const { keyboard } = page;
    const title = (name: string) => page.getByRole("heading", { name, exact: true }).waitFor();
    await view.at("text").waitFor();

    await tabTo(page, "#text");
    await keyboard.type(TEXT);
    await title("All 10,000 profiles");
    await tabTo(page, ".groups button");
    await keyboard.press("Enter");
    await tabTo(page, "#members");
    await keyboard.press("PageDown");
    await view.at("members").getByRole("option", { selected: true }).waitFor();

    await page.evaluate("document.activeElement.blur()");
    await tabTo(page, 'nav a[href^="/profiles"]');
    await keyboard.press("Enter");
    await title("10,000 profiles");
    await tabTo(page, "#search");
    await keyboard.type("09");
    await tabTo(page, "#profile-list");
    await keyboard.press("Home");
    await keyboard.press("ArrowDown");
    await title("reader-00090");

    await page.evaluate("document.activeElement.blur()");
    await tabTo(page, 'nav a[href^="/teach"]');
    await keyboard.press("Enter");
    await title("Teach a classifier of your own");
    await tabTo(page, "#add");
    await keyboard.type("A boat on the pond");
    await tabTo(page, "#add-form button");
    await keyboard.press("Enter");
    await tabTo(page, ".label-next fieldset button");
    await keyboard.press("Enter");
    await title("1 of 1 labelled");
    await keyboard.press("Control+z");
    await title("0 of 1 labelled");
    await keyboard.press("2");
    await title("1 of 1 labelled");
    expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBeLessThanOrEqual(screen.width);
  });
}
