import { join } from "node:path";
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type ConsoleMessage,
  chromium,
  type Page,
} from "playwright-core";
import { findProgram } from "./programs.ts";

/** Options that stop Chromium's requests to any server but the page's. */
const ARGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The path of this machine's Chromium; undefined if none runs. */
export const chromiumPath = findProgram("chromium", "chromium-browser", "google-chrome");

/** Starts a headless browser with an empty profile, which is deleted on close. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath ?? "", args: ARGS });
}

/** Other tests may take most of the processor meanwhile. */
const PATIENCE_MS = 120_000;

/** An open page, and the browser's uncaught errors, warnings and policy violations. */
export interface OpenPage {
  readonly page: Page;
  readonly browserErrors: string[];
}

// The console also reports responses of 400 and above, which the pages handle and show.
const isBrowserError = (message: ConsoleMessage): boolean =>
  ["error", "warning"].includes(message.type()) && !message.text().startsWith("Failed to load resource");

/**
 * Opens a URL in a new context, without cache or other pages.
 *
 * @param prepare changes the context before
 * @param options such as the screen's size
 */
export async function openPage(
  browser: Browser,
  url: URL,
  prepare: (context: BrowserContext) => Promise<void> = async () => {},
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(PATIENCE_MS);
  await prepare(context);
  const page = await context.newPage();
  const browserErrors: string[] = [];
  page.on("pageerror", (error) => browserErrors.push(String(error)));
  page.on("console", (message) => {
    if (isBrowserError(message)) browserErrors.push(message.text());
  });
  await page.goto(url.href);
  return { page, browserErrors };
}

/** Saves a screenshot of the page to the folder in XPEFT_SCREENSHOTS, if that is set. @param part of the page to save */
export async function saveScreenshot(page: Page, name: string, part: "page" | "viewport" = "page"): Promise<void> {
  const folder = process.env.XPEFT_SCREENSHOTS;
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`), fullPage: part === "page" });
}
