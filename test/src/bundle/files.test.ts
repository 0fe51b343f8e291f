import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { readManifest, readVerified } from "../../../src/bundle/files.ts";
import { checkTask } from "../../../src/profiles/task.ts";
import { readBundleFile } from "../../support/default-bundle.ts";
import { errorWithCode } from "../../support/errors.ts";
import { FORMAT_1_ID } from "../../support/format-1.ts";

const BYTES = Uint8Array.of(1, 2, 3);
const listed = {
  path: "weights.0",
  role: "weights",
  bytes: 3,
  sha256: createHash("sha256").update(BYTES).digest("hex"),
} as const;

it("returns a listed file's bytes if they match the manifest, else reports what is wrong", async () => {
  const paths: string[] = [];
  const read = (bytes: Uint8Array | null) =>
    readVerified(async (path) => {
      paths.push(path);
      return bytes;
    }, listed);
  expect(await read(BYTES)).toBe(BYTES);
  expect(paths).toEqual(["weights.0"]);
  await expect(read(null)).rejects.toThrow(errorWithCode("bundle_file_missing"));
  await expect(read(Uint8Array.of(1, 2))).rejects.toThrow(errorWithCode("bundle_file_corrupt"));
  await expect(read(Uint8Array.of(1, 2))).rejects.toThrow("weights.0 has 2 bytes; the manifest says 3");
  await expect(read(Uint8Array.of(1, 2, 4))).rejects.toThrow(errorWithCode("bundle_file_corrupt"));
  await expect(read(Uint8Array.of(1, 2, 4))).rejects.toThrow("The SHA-256 of weights.0 differs");
});

it("reports a bundle without a manifest", async () => {
  await expect(readManifest(async () => null)).rejects.toThrow("The bundle has no file manifest.json");
});

it("accepts a task of this bundle up to the encoder's token limit, and rejects any other", async () => {
  const bundle = await readManifest(readBundleFile);
  const task = { name: "demo", bundle: bundle.id, maxTokens: 512 };
  expect(() => checkTask(task, bundle)).not.toThrow();
  expect(() => checkTask({ ...task, bundle: FORMAT_1_ID }, bundle)).not.toThrow();
  expect(() => checkTask({ ...task, maxTokens: 513 }, bundle)).toThrow(errorWithCode("invalid_row"));
  expect(() => checkTask({ ...task, bundle: "0".repeat(32) }, bundle)).toThrow(errorWithCode("bundle_mismatch"));
});
