import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, type ConsoleMessage, chromium, type Page } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** Chromium asks nobody but the page's own server. */
const ARGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The path of this machine's Chromium, if it has one that runs. */
export const chromiumPath = NAMES.flatMap((name) =>
  (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, name)),
).find((path) => isExecutable(path) && spawnSync(path, ["--version"]).status === 0);

/** Starts a headless browser with an empty profile, which it deletes when it is closed. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath ?? "", args: ARGS });
}

/** An open page, with what the browser complains of: uncaught errors, warnings, violations of the page's policy. */
export interface OpenPage {
  readonly page: Page;
  readonly complaints: string[];
}

// A response of 400 and more is a message of the console too, but the pages provoke and show those on purpose.
const isComplaint = (message: ConsoleMessage): boolean =>
  ["error", "warning"].includes(message.type()) && !message.text().startsWith("Failed to load resource");

/** Opens a URL in a context of its own: nothing is cached and no other page is seen. */
export async function openPage(browser: Browser, url: URL): Promise<OpenPage> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (isComplaint(message)) complaints.push(message.text());
  });
  await page.goto(url.href);
  return { page, complaints };
}

/** Saves a screenshot to the folder XPEFT_SCREENSHOTS, if that is set, for somebody to look at. */
export async function saveScreenshot(page: Page, name: string): Promise<void> {
  const folder = process.env.XPEFT_SCREENSHOTS;
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}
