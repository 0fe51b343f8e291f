import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, Page } from "playwright-core";
import sharp from "sharp";
import { openSubject } from "./page.ts";

/** CSS pixels. The tests look at pages of the same widths. */
const DEVICES = {
  desk: { width: 1440, height: 900 },
  tablet: { width: 768, height: 1024 },
  phone: { width: 360, height: 740 },
} as const;
/** Plots are drawn again after a change of the size. */
const REDRAW_MS = 500;
const GAP = 24;

/** How somebody sorts their messages, who answers bills and sports at once and leaves machines to others. */
const MINE: readonly (readonly [text: string, label: string])[] = [
  ["The invoice of the electrician", "now"],
  ["The printer server is down", "archive"],
  ["Can you fetch the children today?", "later"],
  ["Two seats for the derby", "now"],
  ["The minutes of the planning call", "later"],
  ["A new device has signed in", "archive"],
  ["A reminder for the unpaid rent", "now"],
  ["Errors on the order page", "archive"],
  ["Your brother's new flat", "later"],
  ["The coach has changed the training", "now"],
  ["Can we move the review to noon?", "later"],
  ["Your password expires on Monday", "archive"],
  ["Your card was charged twice", "now"],
  ["The nightly build is broken again", "archive"],
  ["Photos of the christening", "later"],
  ["The results of the half marathon", "now"],
  ["A room for the workshop", "later"],
  ["Confirm your second factor", "archive"],
  ["The receipt for the train tickets", "now"],
  ["The database is slow since noon", "archive"],
  ["Grandpa's party on Sunday", "later"],
  ["Our team has lost the final", "now"],
  ["Notes of the interview", "later"],
  ["A link to reset your password", "archive"],
];
/** After so many sentences each, the profile learns. */
const ROUND = 6;

/** What to do in a view before its picture is taken. Teaching comes last, because it adds a profile. */
const SHOW: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  async "/"(page) {
    await page.getByRole("heading", { name: /^All \d+ profiles$/ }).waitFor();
  },
  async "/profiles"(page) {
    await page.getByRole("img", { name: "A map of" }).waitFor();
    await page.locator("#neighbours").waitFor();
  },
  async "/teach"(page) {
    for (let end = ROUND; end <= MINE.length; end += ROUND) {
      const lines = MINE.slice(end - ROUND, end).map((line) => line.join("\t"));
      await page.locator("#add").fill(lines.join("\n"));
      await page.getByRole("button", { name: "Add", exact: true }).click();
      await page.getByText(`of ${end} held-out sentences are right`).waitFor();
    }
    await page.evaluate("document.activeElement.blur()");
    await page.evaluate("scrollTo(0, 0)");
  },
};

type Device = keyof typeof DEVICES;
type Scheme = "light" | "dark";

/** A file of pictures: views on one device, beside each other. */
interface Sheet {
  readonly device: Device;
  readonly views: readonly (readonly [path: string, scheme: Scheme])[];
}

const SHEETS: Readonly<Record<string, Sheet>> = {
  teach: { device: "desk", views: [["/teach", "light"]] },
  profiles: { device: "desk", views: [["/profiles", "dark"]] },
  tablet: {
    device: "tablet",
    views: [
      ["/", "dark"],
      ["/teach", "light"],
      ["/profiles", "dark"],
    ],
  },
  phone: {
    device: "phone",
    views: [
      ["/", "light"],
      ["/teach", "dark"],
      ["/profiles", "light"],
    ],
  },
};

/** Returns pictures of one size beside each other, as a WebP. */
function besideEachOther(pictures: readonly Buffer[], { width, height }: { width: number; height: number }) {
  return sharp({
    create: {
      width: pictures.length * (width + GAP) - GAP,
      height,
      channels: 4,
      background: { r: 0, g: 0, b: 0, alpha: 0 },
    },
  })
    .composite(pictures.map((input, place) => ({ input, left: place * (width + GAP), top: 0 })))
    .webp({ lossless: true, effort: 6 })
    .toBuffer();
}

/** Takes pictures of the three views on a phone, a tablet and a desk. Returns WebP files by name. */
export async function photographViews(browser: Browser, url: URL): Promise<Map<string, Buffer>> {
  const taken = new Map<string, Buffer>();
  for (const [path, show] of Object.entries(SHOW)) {
    const { page, close } = await openSubject(browser, new URL(path, url), { locale: "en-GB" });
    await show(page);
    for (const { device, views } of Object.values(SHEETS))
      for (const [viewPath, colorScheme] of views) {
        if (viewPath !== path) continue;
        await page.setViewportSize(DEVICES[device]);
        await page.emulateMedia({ colorScheme });
        await sleep(REDRAW_MS);
        taken.set(`${path} ${device}`, await page.screenshot());
      }
    await close();
  }
  const sheets = Object.entries(SHEETS).map(async ([name, { device, views }]) => {
    const pictures = views.flatMap(([path]) => taken.get(`${path} ${device}`) ?? []);
    return [name, await besideEachOther(pictures, DEVICES[device])] as const;
  });
  return new Map(await Promise.all(sheets));
}
