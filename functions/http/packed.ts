import type { Context } from "hono";
import { accepts } from "hono/accepts";
import type { AppEnv } from "./env.ts";

/**
 * Sends a file that was packed by gzip, and that changes only with a deploy. A caller that does not accept gzip gets it
 * unpacked: Cloudflare does this by itself, `wrangler dev` does not.
 */
export const answerPacked = (packed: ArrayBuffer, type: string) => (c: Context<AppEnv>) => {
  const headers = { "content-type": type, "cache-control": "public, max-age=3600", vary: "accept-encoding" };
  if (accepts(c, { header: "Accept-Encoding", supports: ["gzip"], default: "" }) === "")
    return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip")), { headers });
  return new Response(packed, { headers: { ...headers, "content-encoding": "gzip" }, encodeBody: "manual" });
};
