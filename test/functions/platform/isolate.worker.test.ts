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

it("loads once for concurrent requests, retries after a failure, and survives the first request's end", async () => {
  vi.resetModules();
  const { isolateService } = await import("../../../functions/platform/isolate.ts");
  const { gate, bindings } = countedAssets();
  const awaited: Promise<unknown>[] = [];
  const lifetime = { waitUntil: (promise: Promise<unknown>) => void awaited.push(promise) };
  const load = () => isolateService(bindings, lifetime);

  gate.open = false;
  const failed = await Promise.allSettled([load(), load()]);
  expect(failed.map((result) => result.status === "rejected" && result.reason)).toEqual([
    errorWithCode("bundle_unusable"),
    errorWithCode("bundle_unusable"),
  ]);
  expect(gate.manifests).toBe(1);

  gate.open = true;
  const loading = [load(), load(), load()];
  expect(awaited).toHaveLength(2);
  await awaited[1];
  const [first, ...others] = await Promise.all(loading);
  for (const other of others) expect(other).toBe(first);
  expect(await load()).toBe(first);
  expect(gate.manifests).toBe(2);
});

it("reports a TTL that is not a number", async () => {
  vi.resetModules();
  const { isolateService } = await import("../../../functions/platform/isolate.ts");
  const loading = isolateService({ ...env, CACHE_TTL_SECONDS: "soon" }, { waitUntil: () => {} });
  await expect(loading).rejects.toThrow(errorWithCode("invalid_setting"));
});
