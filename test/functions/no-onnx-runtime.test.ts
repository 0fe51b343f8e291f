import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBundle } from "../../node/files.ts";
import { examplesOf } from "../support/examples.ts";
import { requestSecond, writeFormat1Bundle } from "../support/format-1.ts";
import { profilesOf, taskFor } from "../support/rows.ts";
import { makeTempFolder } from "../support/temp-folders.ts";
import { type RunningWorker, startWorker } from "../support/worker.ts";

describe("a Worker without ONNX Runtime", () => {
  let worker: RunningWorker;

  beforeAll(async () => {
    const secondBundle = await makeTempFolder("xpeft-format-1-");
    await writeFormat1Bundle(secondBundle);
    worker = await startWorker({ onnxRuntime: false, secondBundle, vars: { ENGINE: "auto" } });
    await worker.push(taskFor(await readBundle("bundles/minilm-l6-v2")), profilesOf(2));
  });
  afterAll(() => worker.close());

  const body = { task: "demo", inputs: [{ profile: "demo-001", text: "A boat on the pond" }] };

  it("predicts and learns as any other", async () => {
    expect(await (await worker.get("/v1/info")).json()).toMatchObject({ engine: "kernels" });
    const predicted = await worker.predict(body);
    expect(await predicted.json()).toMatchObject({ engine: "kernels", predictions: [{}] });
    const learning = { examples: examplesOf(4), force: true };
    const learnt = await worker.request("POST", "/v1/profiles/demo/me/learn", { body: learning });
    expect(await learnt.text()).toMatch(/"generation":1\b/);
  });

  it("refuses a bundle that needs it", async () => {
    const refused = await requestSecond(worker, "POST", "/v1/predict", { body });
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({
      code: "bundle_unusable",
      detail: "The encoder needs ONNX Runtime, and this build has none.",
      hint: expect.stringContaining("Remove [alias] from wrangler.toml"),
    });
  });
});
