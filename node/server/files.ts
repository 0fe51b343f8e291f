import { createReadStream } from "node:fs";
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { BundleFiles, Pages } from "../../app/platform/platform.ts";
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
