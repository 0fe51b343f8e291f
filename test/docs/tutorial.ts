import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Tokens } from "marked";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { chromiumPath, openPage, saveScreenshot, startBrowser } from "../support/browser.ts";
import { tokensOf } from "../support/documents.ts";
import { freePort, waitForResponse } from "../support/processes.ts";
import { type Shell, startShell } from "../support/shell.ts";

/** The tutorial's file. */
export const TUTORIAL = "docs/tutorial.md";

/** Where the service and the reader's own page listen. Tests use free ports. */
const [SERVICE, OWN_PORT] = ["http://localhost:8787", "8788"];
const PROFILES = ["ben", "kim", "ola"];

const WIDTH = 1000;
const MAX_PICTURE_BYTES = 150_000;

/** Scores differ in their last digits between processors. */
const DIGITS = 2;

/** A part of the tutorial that a test runs. */
type Part =
  | { readonly kind: "commands"; readonly text: string; readonly shown: Tokens.Code | null }
  | { readonly kind: "picture"; readonly name: string; readonly path: string };

/** Returns the tutorial's blocks of commands, each with the block that shows what it prints, and its pictures. */
async function partsOf(path: string): Promise<Part[]> {
  const tokens = (await tokensOf(path)).filter(
    (token): token is Tokens.Code | Tokens.Image => token.type === "code" || token.type === "image",
  );
  return tokens.flatMap((token, place): Part[] => {
    if (token.type === "image") {
      const [, name = ""] = /^pictures\/tutorial-(.+)\.png$/.exec(token.href) ?? [];
      return [{ kind: "picture", name, path: join(dirname(path), token.href) }];
    }
    if (token.lang !== "sh") return [];
    const next = tokens[place + 1];
    return [{ kind: "commands", text: token.text, shown: next?.type === "code" && next.lang !== "sh" ? next : null }];
  });
}

/** Expects what is shown, with decimals that are nearly the same, and any seconds of learning. */
function expectPrinted(printed: string, shown: string): void {
  const partsOf = (text: string) => {
    const timeless = text.replace(/learnt in [\d.]+ s/g, "learnt in some seconds");
    return timeless.split(/(\d+\.\d+)/).map((part, place) => (place % 2 === 1 ? Number(part) : part));
  };
  const expected = partsOf(shown).map((part) => (typeof part === "number" ? expect.closeTo(part, DIGITS) : part));
  expect(partsOf(printed), printed).toEqual(expected);
}

/** Expects an answer that has all that is shown of it. */
function expectAnswer(printed: string, shown: string): void {
  const near = (_: string, value: unknown) => (typeof value === "number" ? expect.closeTo(value, DIGITS) : value);
  expect(JSON.parse(printed)).toMatchObject(JSON.parse(shown, near));
}

interface Started {
  /** The folder of the project's copy. */
  readonly copy: string;
  /** Where its service listens. */
  readonly url: string;
}

/** Runs the tutorial word for word, except for its ports. With XPEFT_SCREENSHOTS, it also saves the pictures. */
export async function testTutorial(started: () => Started): Promise<void> {
  let shell: Shell;
  let browser: Browser | undefined;
  let ownPage: string;

  beforeAll(async () => {
    const { copy, url } = started();
    shell = startShell(copy, { XPEFT_URL: url });
    ownPage = `http://localhost:${await freePort()}`;
    if (chromiumPath) browser = await startBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await shell?.close();
  });

  /** Returns what the API says of a text under each profile. */
  async function labelsOf(text: string): Promise<[profile: string, label: string][]> {
    const response = await fetch(`${started().url}/v1/predict`, {
      method: "POST",
      headers: { "content-type": "application/json", "cache-control": "no-cache" },
      body: JSON.stringify({ task: "desk", inputs: PROFILES.map((profile) => ({ profile, text })) }),
    });
    const { predictions } = (await response.json()) as { predictions: { profile: string; label: string }[] };
    const labels = predictions.map(({ profile, label }): [string, string] => [profile, label]);
    expect(new Set(labels.map(([, label]) => label)).size).toBe(PROFILES.length);
    return labels;
  }

  /** Expects that a page shows each profile with its label as the API says, in any order. */
  async function expectLabels(page: Page, text: string, profiles: string, labels: string): Promise<void> {
    const expected = await labelsOf(text);
    await expect
      .poll(async () => {
        const shown = await page.locator(labels).allTextContents();
        const names = await page.locator(profiles).allTextContents();
        return names.map((name, place) => [name, shown[place]?.replace(/differs$/, "")]).sort();
      })
      .toEqual(expected);
  }

  async function compare(page: Page): Promise<void> {
    const text = "The save button is broken";
    await page.locator("#text").fill(text);
    await expectLabels(page, text, "#answers .card-id > span", "#answers .card-label");
    await page.getByRole("heading", { name: "All 3 profiles" }).waitFor();
  }

  /** What each picture shows, by its name. */
  const pictures: Record<string, { height: number; url: () => string; show: (page: Page) => Promise<void> }> = {
    compare: { height: 590, url: () => `${started().url}/?task=desk`, show: compare },
    profiles: {
      height: 660,
      url: () => `${started().url}/?task=desk`,
      async show(page) {
        await compare(page);
        await page.getByRole("link", { name: "Profiles" }).click();
        await page.getByRole("heading", { name: "3 profiles" }).waitFor();
        expect((await page.locator("#profile-list [role=option]").allTextContents()).join()).toMatch(
          /^ben\d+ bytes,kim\d+ bytes,ola\d+ bytes$/,
        );
        await page.getByRole("img", { name: "A map of" }).waitFor();
      },
    },
    page: {
      height: 300,
      url: () => ownPage,
      async show(page) {
        await expectLabels(page, "The save button is broken", "h2", "li p");
        await page.getByRole("textbox").fill("I paid twice this month");
        await page.keyboard.press("Enter");
        await page.waitForURL("**/?text=*");
        await expectLabels(page, "I paid twice this month", "h2", "li p");
      },
    },
  };

  for (const part of await partsOf(TUTORIAL)) {
    if (part.kind === "commands") {
      const [title] = part.text.split("\n");
      it(`prints what it shows: ${title}`, async () => {
        const text = part.text.replaceAll(SERVICE, started().url).replaceAll(OWN_PORT, new URL(ownPage).port);
        const printed = await shell.run(text);
        if (part.shown?.lang === "json") expectAnswer(printed, part.shown.text);
        else expectPrinted(printed, part.shown?.text ?? "");
      });
    } else {
      it(`has a small picture ${part.path}`, async () => {
        expect(pictures).toHaveProperty(part.name);
        expect((await stat(part.path)).size).toBeLessThan(MAX_PICTURE_BYTES);
      });
      it.skipIf(!chromiumPath)(`shows what its picture shows (needs a Chromium): ${part.name}`, async () => {
        const { height, url, show } = pictures[part.name] ?? expect.fail(`${part.name} is unknown.`);
        await waitForResponse(url());
        const { page, browserErrors } = await openPage(browser as Browser, new URL(url()));
        await page.setViewportSize({ width: WIDTH, height });
        await show(page);
        await saveScreenshot(page, `tutorial-${part.name}`, "viewport");
        await page.context().close();
        expect(browserErrors).toEqual([]);
      });
    }
  }

  it("ends its page", async () => {
    await expect.poll(() => fetch(ownPage).catch(() => null)).toBeNull();
  });
}
