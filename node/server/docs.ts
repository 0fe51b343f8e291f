import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Hono } from "hono";
import { etag } from "hono/etag";
import { getMimeType } from "hono/utils/mime";
import type { Platform } from "../../app/platform/platform.ts";
import { packagePath } from "../package.ts";

/** The paths of the site: no name begins with a dot, so none leads out of its folder. */
const PATH = /^(\/[\w@-][\w@.-]*)+\/?$/;

/** Browsers ask again for a page, and get no body if it has not changed. */
const REVALIDATE = "public, max-age=0, must-revalidate";

const typeOf = (file: string): string =>
  // An SVG names its own encoding.
  (getMimeType(file) ?? "application/octet-stream").replace(/^(image\/svg\+xml);.*$/, "$1");

/** Returns a file's bytes; null if there is none. */
type Read = (path: string) => Promise<Buffer<ArrayBuffer> | null>;

/** What a path of the site leads to: a file, or the one address of a page. */
type Found = { readonly file: string; readonly bytes: Buffer<ArrayBuffer> } | { readonly address: string };

/** Finds what a path leads to. Each page has one address: without `.html`, and without `index`. */
async function find(read: Read, path: string): Promise<Found | null> {
  if (path.endsWith("/")) {
    const bytes = await read(`${path}index.html`);
    if (bytes) return { file: "index.html", bytes };
    return (await read(`${path.slice(0, -1)}.html`)) && { address: path.slice(0, -1) };
  }
  const exact = await read(path);
  if (exact && !path.endsWith(".html")) return { file: path, bytes: exact };
  const page = path.replace(/\.html$/, "");
  const bytes = exact ?? (await read(`${path}.html`));
  if (bytes && page.endsWith("/index")) return { address: page.slice(0, -"index".length) };
  if (bytes) return page === path ? { file: ".html", bytes } : { address: page };
  return (await read(`${path}/index.html`)) && { address: `${path}/` };
}

/** Returns what answers `/docs/…` from the built documentation, as Cloudflare's static assets do. */
export function createDocs(): Platform["docs"] {
  const root = packagePath("dist/assets");
  const read: Read = (path) => readFile(join(root, path)).catch(() => null);
  const site = new Hono();
  site.use(etag());
  site.get("*", async (c) => {
    const { pathname, search } = new URL(c.req.url);
    const path = pathname.replaceAll(/\/{2,}/g, "/");
    const found = PATH.test(path) ? await find(read, path) : null;
    if (found && "address" in found) return c.redirect(found.address + search, 307);
    if (path !== pathname && found) return c.redirect(path + search, 307);
    const headers = { "cache-control": REVALIDATE };
    if (found) return c.body(found.bytes, 200, { ...headers, "content-type": typeOf(found.file) });
    const page = await read("docs/404.html");
    if (page === null) return c.body(null, 404);
    // Hono gives tags to answers of status 200 alone.
    const tag = `"${createHash("sha256").update(page).digest("hex")}"`;
    return c.body(page, 404, { ...headers, "content-type": typeOf(".html"), etag: tag });
  });
  // Also an answer to HEAD has the headers of the whole file.
  return async ({ url, headers }) => {
    const known = headers.get("if-none-match");
    return await site.request(url, { headers: known === null ? {} : { "if-none-match": known } });
  };
}
