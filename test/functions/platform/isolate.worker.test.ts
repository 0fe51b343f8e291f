import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import type { Bindings } from "../../../functions/http/env.ts";
import { errorWithCode } from "../../support/errors.ts";

/** The real assets, with a counter of reads and a switch that blocks them. */
function countedAssets() {
  const gate = { open: true, manifests: 0 };
  const fetch: Fetcher["fetch"] = async (input, init) => {
    if (String(input).endsWith("manifest.json")) gate.manifests++;
    return gate.open ? env.ASSETS.fetch(input, init) : new Response(null, { status: 500 });
  };
  const bindings: Bindings = { ...env, ASSETS: { ...env.ASSETS, fetch } };
  return { gate, bindings };
}

it("loads once for concurrent requests, retries after a failure, and survives the first request's end", {
  timeout: 60_000,
}, async () => {
  vi.resetModules();
  const { isolateService } = await import("../../../functions/platform/isolate.ts");
  const { gate, bindings } = countedAssets();
  const kept: Promise<unknown>[] = [];
  const lifetime = { waitUntil: (promise: Promise<unknown>) => void kept.push(promise) };
  const ask = () => isolateService(bindings, lifetime);

  gate.open = false;
  const failed = await Promise.allSettled([ask(), ask()]);
  expect(failed.map((result) => result.status === "rejected" && result.reason)).toEqual([
    errorWithCode("bundle_unusable"),
    errorWithCode("bundle_unusable"),
  ]);
  expect(gate.manifests).toBe(1);

  gate.open = true;
  const asked = [ask(), ask(), ask()];
  expect(kept).toHaveLength(2);
  await kept[1];
  const [first, ...others] = await Promise.all(asked);
  for (const other of others) expect(other).toBe(first);
  expect(await ask()).toBe(first);
  expect(gate.manifests).toBe(2);
});

it("reports a TTL that is not a number", async () => {
  vi.resetModules();
  const { isolateService } = await import("../../../functions/platform/isolate.ts");
  const asked = isolateService({ ...env, CACHE_TTL_SECONDS: "soon" }, { waitUntil: () => {} });
  await expect(asked).rejects.toThrow(errorWithCode("invalid_setting"));
});
