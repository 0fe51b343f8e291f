import { createReadStream } from "node:fs";
import { access, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { Readable } from "node:stream";
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono } from "hono";
import { etag } from "hono/etag";
import type { BundleFiles, Pages, Platform } from "../../app/platform/platform.ts";
import { CommandError } from "../errors.ts";
import { readFolder } from "../files.ts";
import { packagePath } from "../package.ts";

/** Returns the files of a bundle's folder. The app opens only those that the manifest lists. */
export const bundleFolder = (folder: string): BundleFiles => ({
  read: readFolder(folder),
  async open(path) {
    const file = join(folder, path);
    const exists = await access(file).then(
      () => true,
      () => false,
    );
    return exists ? (Readable.toWeb(createReadStream(file)) as unknown as ReadableStream<Uint8Array>) : null;
  },
});

const PAGES = packagePath("dist/pages");

async function readPage(name: string): Promise<Buffer<ArrayBuffer>> {
  return await readFile(join(PAGES, name)).catch((cause: unknown) => {
    throw new CommandError(`The page ${name} is not built.`, "Build it in the project's folder: npm run docs", {
      cause,
    });
  });
}

/** Returns a file's bytes in a buffer of their own. */
async function readGzipped(name: string): Promise<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = await readPage(`${name}.gz`);
  return buffer.slice(byteOffset, byteOffset + byteLength);
}

/** Reads the built pages. @throws CommandError if they are not built */
export async function readPages(): Promise<Pages> {
  const [playground, api, app, local, viewer, style] = await Promise.all([
    readPage("playground.html"),
    readPage("api.html"),
    readGzipped("app.js"),
    readGzipped("local.js"),
    readGzipped("viewer.js"),
    readGzipped("viewer.css"),
  ]);
  return {
    playground: playground.toString(),
    api: api.toString(),
    gzipped: { "app.js": app, "local.js": local, "viewer.js": viewer, "viewer.css": style },
  };
}

/**
 * Returns what answers `/docs/…` from the built documentation, as Cloudflare's static assets do: a page without its
 * `.html`, and the site's own page for an unknown path.
 */
export function createDocs(): Platform["docs"] {
  const root = packagePath("dist/assets");
  const site = new Hono();
  site.use(etag());
  site.use(
    serveStatic({
      root,
      rewriteRequestPath: (path) => (path.endsWith("/") || extname(path) !== "" ? path : `${path}.html`),
    }),
  );
  site.notFound(async (c) => {
    const page = await readFile(join(root, "docs", "404.html"), "utf8").catch(() => null);
    return page === null ? c.body(null, 404) : c.html(page, 404);
  });
  return async (request) => await site.request(request);
}
