import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pageOf } from "../../docs/.vitepress/config.mjs";
import { buildSite } from "../../scripts/build-assets.mjs";
import { violationsOf } from "../support/axe.ts";
import { chromiumPath, type OpenPage, openPage, saveScreenshot, startBrowser } from "../support/browser.ts";
import { documents } from "../support/documents.ts";
import { type RunningWorker, startWorker } from "../support/worker.ts";

const SITE = "dist/assets/docs";

/** A line of the search dialog. */
const RESULT = ".VPLocalSearchBox .result";

/** The project's Markdown files; the report contains the notes. */
const files = (await documents()).filter((file) => file !== "training/results/notes.md");

let worker: RunningWorker;
let browser: Browser | undefined;

beforeAll(async () => {
  await buildSite();
  [worker, browser] = await Promise.all([
    startWorker({ bundle: "dist/assets" }),
    chromiumPath ? startBrowser() : undefined,
  ]);
});
afterAll(async () => {
  await browser?.close();
  await worker?.close();
});

/** Requests a path as it is, without following a redirect. */
const ask = (path: string, headers = {}) => fetch(new URL(path, worker.url), { redirect: "manual", headers });

const addressOf = (file: string) => `/docs/${pageOf(file).replace(/^index$/, "")}`;

describe("the site of the documentation", () => {
  it("has a page for each Markdown file of the project, and all are in the sidebar", async () => {
    const sidebar = /<aside class="VPSidebar".*?<\/aside>/s.exec(await (await ask("/docs/")).text())?.[0];
    for (const file of files) {
      const response = await ask(addressOf(file));
      const [, title] = /^# (.+)$/m.exec(await readFile(file, "utf8")) ?? [];
      expect([file, response.status, await response.text()]).toEqual([
        file,
        200,
        expect.stringMatching(new RegExp(`<title>${title}( \\| xpeft-edge)?</title>`)),
      ]);
      if (file !== "README.md") expect(sidebar).toContain(`href="${addressOf(file)}"`);
    }
    const pages = (await readdir(SITE)).filter((name) => name.endsWith(".html"));
    expect(pages.sort()).toEqual([...files.map((file) => `${pageOf(file)}.html`), "404.html"].sort());
  });

  it("has no link that leads nowhere, with GitHub's anchors", async () => {
    const idsOf = new Map<string, Set<string>>();
    const links: [page: string, href: string][] = [];
    for (const file of files) {
      const html = await readFile(join(SITE, `${pageOf(file)}.html`), "utf8");
      idsOf.set(addressOf(file), new Set([...html.matchAll(/ id="([^"]+)"/g)].map(([, id = ""]) => id)));
      for (const [, href = ""] of html.matchAll(/<a [^>]*href="([^"]*)"/g)) links.push([addressOf(file), href]);
    }
    expect(links.length).toBeGreaterThan(1000);
    const assets = await readdir(join(SITE, "assets"));
    const broken = links.filter(([page, href]) => {
      if (/^https?:/.test(href) || href === "../" || href === "../api") return false;
      if (href.startsWith("/docs/assets/")) return !assets.includes(href.slice("/docs/assets/".length));
      const [path, anchor] = href.split("#");
      const ids = idsOf.get(path || page);
      return !ids || (anchor !== undefined && !ids.has(decodeURIComponent(anchor)));
    });
    expect(broken).toEqual([]);
  });

  it("is served with a strict security policy", async () => {
    const { headers } = await ask("/docs/concepts");
    expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
    const policy = headers.get("content-security-policy");
    expect(policy).toContain("default-src 'none'; script-src 'self';");
    expect(policy).not.toMatch(/https?:/);
  });

  it("lets browsers keep files whose names have a hash, and ask again for pages", async () => {
    const page = await ask("/docs/concepts");
    expect(page.headers.get("cache-control")).toBe("public, max-age=0, must-revalidate");
    const again = await ask("/docs/concepts", { "if-none-match": page.headers.get("etag") ?? "" });
    expect(again.status).toBe(304);
    const [, script = ""] = / src="(\/docs\/assets\/app\.[^"]+)"/.exec(await page.text()) ?? [];
    expect((await ask(script)).headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
  });

  it("has one address for each page", async () => {
    for (const [path, location] of [
      ["/docs", "/docs/"],
      ["/docs/index.html", "/docs/"],
      ["/docs/concepts.html", "/docs/concepts"],
      ["/docs/concepts/", "/docs/concepts"],
    ]) {
      const { status, headers } = await ask(path ?? "");
      expect([path, status, headers.get("location")]).toEqual([path, 307, location]);
    }
  });

  it.each(["/docs/nothing", "/docs/a/b", "/docs/assets/nothing.js"])(
    "answers %s with its own page for unknown paths",
    async (path) => {
      const response = await ask(path);
      expect([response.status, response.headers.get("cache-control")]).toEqual([
        404,
        expect.not.stringContaining("immutable"),
      ]);
      expect(await response.text()).toContain("<title>404 | xpeft-edge</title>");
    },
  );

  it("serves no file beside it", async () => {
    for (const path of [
      "/docs/../manifest.json",
      "/docs/..%2fmanifest.json",
      "/docs/%2e%2e%2fmanifest.json",
      "//manifest.json",
    ]) {
      const response = await fetch(worker.url.origin + path);
      expect([path, response.status]).toEqual([path, 404]);
    }
  });
});

describe.skipIf(!chromiumPath)("the site in a browser (needs a Chromium)", () => {
  const open = (path: string) => openPage(browser as Browser, new URL(path, worker.url));

  it("finds a word without a connection, and asks no other origin", async () => {
    const { page, browserErrors } = await open("/docs/");
    const requests: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    await page.getByRole("button", { name: "Search" }).first().click();
    const box = page.getByRole("searchbox");
    await box.fill("pool");
    await page.locator(RESULT).first().waitFor();
    await page.context().setOffline(true);
    await box.fill("tombstones");
    const result = page.locator(RESULT, { hasText: "Architecture" });
    await result.first().waitFor();
    await page.context().setOffline(false);
    await result.first().click();
    await page.waitForURL("**/docs/architecture#**");
    await page.getByRole("heading", { name: "Architecture", exact: false }).first().waitFor();
    expect(requests.filter((url) => !url.startsWith(worker.url.origin))).toEqual([]);
    expect(requests).not.toEqual([]);
    expect(browserErrors).toEqual([]);
    await page.context().close();
  });

  it("leads to the API viewer and the playground", async () => {
    const { page, browserErrors } = await open("/docs/concepts");
    await page.getByRole("link", { name: "API viewer" }).first().click();
    await page.waitForURL(new URL("/api", worker.url).href);
    await page.goBack();
    await page.getByRole("link", { name: "Playground" }).first().click();
    await page.waitForURL(worker.url.href);
    expect(browserErrors).toEqual([]);
    await page.context().close();
  });

  /** Expects that a page, as it is now, is accessible on a wide and a narrow screen, light and dark. */
  async function expectAccessible({ page, browserErrors }: OpenPage, name: string): Promise<void> {
    for (const [width, scheme] of [
      [1200, "light"],
      [1200, "dark"],
      [360, "dark"],
    ] as const) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme: scheme });
      await page.locator(`html${scheme === "dark" ? ".dark" : ":not(.dark)"}`).waitFor();
      await saveScreenshot(page, `${name}-${width}-${scheme}`);
      expect([width, scheme, await violationsOf(page)]).toEqual([width, scheme, []]);
      // Nothing is wider than the screen, except elements that scroll.
      expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
    }
    expect(browserErrors).toEqual([]);
    await page.context().close();
  }

  it.each([
    ["the overview", "/docs/"],
    ["an article", "/docs/learn"],
    ["an unknown page", "/docs/nothing"],
  ])("has accessible pages: %s", async (name, path) => {
    await expectAccessible(await open(path), `docs-${name.replaceAll(" ", "-")}`);
  });

  it("has an accessible search", async () => {
    const opened = await open("/docs/concepts");
    await opened.page.getByRole("button", { name: "Search" }).first().click();
    await opened.page.getByRole("searchbox").fill("profile");
    await opened.page.locator(RESULT).first().waitFor();
    await expectAccessible(opened, "docs-search");
  });
});
