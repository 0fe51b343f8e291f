import { setTimeout as sleep } from "node:timers/promises";
import type { Browser } from "playwright-core";
import { type Frame, film } from "./film.ts";
import { handOn } from "./hand.ts";
import { openSubject } from "./page.ts";

/** CSS pixels: as wide as the view needs for one row of sentences, and as high as it needs for twelve cards. */
const SIZE = { width: 1344, height: 840 };
const LOOK_MS = 1000;

const OWN_SENTENCE = "The trains are on strike";
const OTHER_SENTENCE = "Somebody tried to sign in as you";
const LABEL = "now";

/** What was recorded of Compare. */
export interface Recording {
  readonly frames: readonly Frame[];
  /** The page as it opens, in PNG. */
  readonly still: Buffer;
}

/** Films Compare: the first sentence, one that is typed, another example, who gives a label, and the map of all profiles. */
export async function recordCompare(browser: Browser, url: URL): Promise<Recording> {
  const { page, close } = await openSubject(browser, url, { viewport: SIZE, colorScheme: "light" });
  await page.getByRole("heading", { name: /^All \d+ profiles$/ }).waitFor();
  const still = await page.screenshot();
  const hand = await handOn(page, 1100, 640);
  const frames = await film(page, async () => {
    await sleep(LOOK_MS);
    await hand.typeInto(page.locator("#text"), OWN_SENTENCE);
    await sleep(LOOK_MS);
    await hand.click(page.getByRole("button", { name: OTHER_SENTENCE }));
    await sleep(LOOK_MS);
    await hand.click(page.locator(".groups").getByRole("button", { name: LABEL }));
    await page.getByRole("heading", { name: "profiles, the surest first" }).waitFor();
    await sleep(LOOK_MS);
    await hand.click(page.getByRole("link", { name: "Profiles" }));
    await page.getByRole("img", { name: "A map of" }).waitFor();
    await sleep(LOOK_MS);
  });
  await close();
  return { frames, still };
}
