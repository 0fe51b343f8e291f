import { cp, mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startWorker } from "../support/worker.ts";

let bundle: string;

beforeEach(async () => {
  bundle = await mkdtemp(join(tmpdir(), "xpeft-bundle-"));
  await cp("bundles/minilm-l6-v2", bundle, { recursive: true });
});
afterEach(() => rm(bundle, { recursive: true, force: true }));

/** Flips one bit in the middle of a file. */
async function flipBit(name: string): Promise<void> {
  const path = join(bundle, name);
  const place = Math.floor((await stat(path)).size / 2);
  const file = await open(path, "r+");
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, place);
  await file.write(Buffer.of((buffer[0] ?? 0) ^ 1), 0, 1, place);
  await file.close();
}

describe("a damaged bundle", () => {
  it.each([
    ["a flipped bit", () => flipBit("encoder.weights.0"), "bundle_file_corrupt"],
    ["a file left out", () => rm(join(bundle, "tokenizer.json")), "bundle_file_missing"],
  ] as const)("is not served with %s", async (_, damage, code) => {
    await damage();
    const worker = await startWorker({ bundle });
    try {
      const health = await worker.get("/healthz");
      expect(health.status).toBe(503);
      expect(health.headers.get("content-type")).toBe("application/problem+json");
      expect(await health.json()).toMatchObject({ code, status: 503 });
      const answer = await worker.predict({ task: "demo", profile: "demo-000", inputs: "x" });
      expect(answer.status).toBe(503);
    } finally {
      await worker.close();
    }
  });
});
