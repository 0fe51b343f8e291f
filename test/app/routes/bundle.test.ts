import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBundle } from "../../../node/files.ts";
import { type RunningWorker, startWorker } from "../../support/worker.ts";

const FOLDER = "bundles/minilm-l6-v2";

describe("GET /v1/bundle", () => {
  let worker: RunningWorker;
  let id: string;

  beforeAll(async () => {
    worker = await startWorker();
    ({ id } = await readBundle(FOLDER));
  });
  afterAll(() => worker.close());

  it("returns the manifest, byte for byte, and checks it again each time", async () => {
    const response = await worker.get("/v1/bundle");
    expect(response.headers.get("cache-control")).toBe("no-cache");
    expect(Buffer.from(await response.arrayBuffer())).toEqual(await readFile(`${FOLDER}/manifest.json`));
  });

  it("returns a file that browsers may cache, but no cache that callers share", async () => {
    const path = `/v1/bundle/${id}/tail.0`;
    const response = await worker.get(path);
    expect(response.headers.get("cache-control")).toBe("private, max-age=31536000, immutable");
    expect(Buffer.from(await response.arrayBuffer())).toEqual(await readFile(`${FOLDER}/tail.0`));
    const head = await worker.request("HEAD", path);
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });

  it.each([
    ["a file of another bundle", () => `${"0".repeat(32)}/tail.0`, 409, "bundle_mismatch", "GET /v1/bundle"],
    ["a file that is not listed", () => `${id}/none`, 404, "not_found", "GET /v1/bundle"],
    ["the manifest among the files", () => `${id}/manifest.json`, 404, "not_found", "GET /v1/bundle"],
    ["a file that only ONNX Runtime reads", () => `${id}/encoder.onnx`, 404, "not_found", "GET /v1/bundle"],
  ])("rejects %s", async (_, path, status, code, hint) => {
    const response = await worker.get(`/v1/bundle/${path()}`);
    expect(await response.json()).toMatchObject({ status, code, hint: expect.stringContaining(hint) });
  });
});
