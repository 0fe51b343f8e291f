import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import { openPage, startBrowser } from "../support/browser.ts";

/** What the page calls: @huggingface/inference's function, as a bundler ships it to browsers. */
const SCRIPT = `
import { textClassification } from "@huggingface/inference";
window.classify = async (args, options) => {
  try {
    return await textClassification(args, options);
  } catch (error) {
    return String(error);
  }
};
`;

/** A web page of an origin of its own. */
interface OtherOrigin {
  readonly origin: string;
  /** Runs the client's text classification in the page, and returns the labels or the error. */
  classify(args: object, options?: object): Promise<unknown>;
  close(): Promise<void>;
}

/** Serves a page with @huggingface/inference on an origin of its own. Chromium starts with the first call. */
export async function serveOtherOrigin(): Promise<OtherOrigin> {
  const { outputFiles } = await build({
    stdin: { contents: SCRIPT, resolveDir: import.meta.dirname },
    bundle: true,
    format: "iife",
    platform: "browser",
    write: false,
  });
  const page = `<!doctype html><title>Another origin</title><script>${outputFiles[0]?.text}</script>`;
  const server = createServer((_, response) => response.writeHead(200, { "content-type": "text/html" }).end(page));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let browser: Promise<Browser> | undefined;
  return {
    origin,
    async classify(args, options = {}) {
      browser ??= startBrowser();
      const { page } = await openPage(await browser, new URL(origin));
      return await page.evaluate(
        ([args, options]) =>
          (globalThis as unknown as { classify(...given: unknown[]): Promise<unknown> }).classify(args, options),
        [args, options],
      );
    },
    async close() {
      await (await browser)?.close();
      server.closeAllConnections();
      server.close();
    },
  };
}
