import type { Context } from "hono";
import { accepts } from "hono/accepts";
import type { Pages } from "../platform/platform.ts";
import type { AppEnv } from "./env.ts";

/**
 * Sends a gzipped file of the pages. A caller that does not accept gzip gets the file decompressed: Cloudflare does this
 * by itself, other servers do not.
 *
 * @param maxAge seconds for which a browser may use its copy after a deploy
 */
export const answerGzipped = (file: keyof Pages["gzipped"], type: string, maxAge: number) => (c: Context<AppEnv>) => {
  const gzipped = c.env.platform.pages.gzipped[file];
  const headers = { "content-type": type, "cache-control": `public, max-age=${maxAge}`, vary: "accept-encoding" };
  if (accepts(c, { header: "Accept-Encoding", supports: ["gzip"], default: "" }) === "")
    return new Response(new Blob([gzipped]).stream().pipeThrough(new DecompressionStream("gzip")), { headers });
  return new Response(gzipped, { headers: { ...headers, "content-encoding": "gzip" }, encodeBody: "manual" });
};
