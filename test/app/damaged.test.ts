import { open, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ENGINE_NAME } from "../support/engine-choice.ts";
import { startDamaged } from "./errors/fixture.ts";

/** The weights that the engine reads. */
const WEIGHTS = ENGINE_NAME === "kernels" ? "packed.0" : "encoder.weights.0";

/** Flips one bit in the middle of a file. */
async function flipBit(path: string): Promise<void> {
  const place = Math.floor((await stat(path)).size / 2);
  const file = await open(path, "r+");
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, place);
  await file.write(Buffer.of((buffer[0] ?? 0) ^ 1), 0, 1, place);
  await file.close();
}

describe("a damaged bundle", () => {
  it.each([
    ["a flipped bit", (folder: string) => flipBit(join(folder, WEIGHTS)), "bundle_file_corrupt"],
    ["a missing file", (folder: string) => rm(join(folder, "tokenizer.json")), "bundle_file_missing"],
  ])("is not served with %s", async (_, damage, code) => {
    const worker = await startDamaged(damage);
    const health = await worker.get("/healthz");
    expect(health.status).toBe(503);
    expect(health.headers.get("content-type")).toBe("application/problem+json");
    expect(await health.json()).toMatchObject({ code, status: 503 });
    const answer = await worker.predict({ task: "demo", profile: "demo-000", inputs: "x" });
    expect(answer.status).toBe(503);
  });
});
