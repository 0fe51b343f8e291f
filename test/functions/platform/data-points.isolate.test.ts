import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { expect, it, vi } from "vitest";
import worker from "../../../functions/index.ts";
import { bundleAssets } from "../../../functions/platform/assets.ts";
import { readManifest } from "../../../src/bundle/files.ts";
import { createPush } from "../../../src/storage/push.ts";
import { profilesOf, taskFor } from "../../support/rows.ts";

it("writes a data point for each request, for a stream at its end", async () => {
  vi.spyOn(console, "log").mockImplementation(() => {});
  await createPush(drizzle(env.DB))(taskFor(await readManifest(bundleAssets(env.ASSETS).read)), profilesOf(1));
  const points: AnalyticsEngineDataPoint[] = [];
  // The dataset only accepts points, so the test inspects what is written to it.
  const ANALYTICS = { writeDataPoint: (point: AnalyticsEngineDataPoint) => void points.push(point) };
  const bindings = { ...env, ANALYTICS, PUBLIC_PREDICT: "true" };
  const send = async (path: string, type: string, body: string) => {
    const context = createExecutionContext();
    const request = new Request(`https://worker.invalid${path}`, {
      method: "POST",
      headers: { "content-type": type },
      body,
    });
    const response = await worker.fetch(request, bindings, context);
    await response.text();
    await waitOnExecutionContext(context);
  };

  const input = { profile: "demo-000", text: "secret words" };
  await send("/v1/predict", "application/json", JSON.stringify({ task: "demo", inputs: [input, input] }));
  await send("/v1/predict", "application/json", JSON.stringify({ task: "demo", profile: "nobody", inputs: "x" }));
  const lines = `${JSON.stringify(input)}\n`.repeat(3);
  await send("/v1/predict/stream?task=demo", "application/x-ndjson", lines);
  expect(points).toEqual([
    { indexes: ["public"], blobs: ["POST", "/v1/predict", ""], doubles: [200, expect.any(Number), 2] },
    { indexes: ["public"], blobs: ["POST", "/v1/predict", "unknown_profile"], doubles: [404, expect.any(Number), 0] },
    { indexes: ["public"], blobs: ["POST", "/v1/predict/stream", ""], doubles: [200, expect.any(Number), 3] },
  ]);
});
