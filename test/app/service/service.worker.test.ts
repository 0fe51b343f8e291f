import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import type { Bindings } from "../../../functions/platform/bindings.ts";
import { workersPlatform } from "../../../functions/platform/workers.ts";
import { earlierManifests } from "../../../src/bundle/earlier-manifests.ts";
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
  const { serviceOf } = await import("../../../app/service/service.ts");
  const { gate, bindings } = countedAssets();
  const awaited: Promise<unknown>[] = [];
  const lifetime = { waitUntil: (promise: Promise<unknown>) => void awaited.push(promise) };
  const platform = workersPlatform(bindings);
  const load = () => serviceOf(platform, lifetime);

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
  const { serviceOf } = await import("../../../app/service/service.ts");
  const loading = serviceOf(workersPlatform({ ...env, CACHE_TTL_SECONDS: "soon" }), { waitUntil: () => {} });
  await expect(loading).rejects.toThrow(errorWithCode("invalid_setting"));
});

/** Loads the service of a new isolate, and returns its engine with what it logged. */
async function loadWith(bindings: Bindings) {
  vi.resetModules();
  const { serviceOf } = await import("../../../app/service/service.ts");
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const { engine } = await serviceOf(workersPlatform(bindings), { waitUntil: () => {} });
  const lines = warn.mock.calls.map(([line]) => JSON.parse(String(line)));
  warn.mockRestore();
  return { engine: engine.name, lines };
}

it("takes the kernels, or ONNX Runtime if the deploy wants it", async () => {
  expect(await loadWith(env)).toEqual({ engine: "kernels", lines: [] });
  const { ENGINE: _, ...unset } = env as Bindings;
  expect(await loadWith(unset)).toEqual({ engine: "kernels", lines: [] });
  expect(await loadWith({ ...env, ENGINE: "onnxruntime" })).toEqual({ engine: "onnxruntime", lines: [] });
  // Node alone has the native engine.
  for (const ENGINE of ["webgpu", "native"]) {
    await expect(loadWith({ ...env, ENGINE })).rejects.toThrow(errorWithCode("invalid_setting"));
  }
});

it("logs that it takes ONNX Runtime for a bundle without a packed encoder", async () => {
  const fetch: Fetcher["fetch"] = async (input, init) => {
    const response = await env.ASSETS.fetch(input, init);
    if (!String(input).endsWith("manifest.json")) return response;
    const manifest = await response.text();
    return new Response(earlierManifests(manifest, JSON.parse(manifest))[0]);
  };
  const { engine, lines } = await loadWith({ ...env, ASSETS: { ...env.ASSETS, fetch } });
  expect(engine).toBe("onnxruntime");
  expect(lines).toEqual([
    {
      level: "warn",
      engine: "onnxruntime",
      bundle: "82cd111b47fecd44095cf052f8935c73",
      message: expect.stringContaining("no packed encoder"),
    },
  ]);
});
