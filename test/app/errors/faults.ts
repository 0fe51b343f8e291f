import { appendFile, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Manifest } from "../../../src/bundle/manifest.ts";
import { sha256Hex } from "../../../src/lib/sha256.ts";
import { taskFor } from "../../support/rows.ts";
import { type Provocation, type Provocations, REQUEST, startDamaged, startOther, writeTask } from "./fixture.ts";

/** Predicts with a task after a statement has damaged its rows. */
function damagedRow(name: string, statement: string): Provocation {
  return async (fixture) => {
    await writeTask(fixture, name);
    await fixture.worker.db.exec(`${statement} = '${name}'`);
    return await fixture.worker.predict({ ...REQUEST, task: name });
  };
}

/** Requests the health of a Worker with a damaged bundle. */
function damagedBundle(damage: (folder: string) => Promise<void>): Provocation {
  return async () => (await startDamaged(damage)).get("/healthz");
}

/** Replaces a file and its entry in the manifest, as if the bundle had been built with that file. */
async function replaceFile(folder: string, path: string, content: string): Promise<void> {
  const bytes = new TextEncoder().encode(content);
  const manifest: Manifest = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8"));
  const entry = { bytes: bytes.length, sha256: await sha256Hex(bytes) };
  const files = manifest.files.map((file) => (file.path === path ? { ...file, ...entry } : file));
  await writeFile(join(folder, path), bytes);
  await writeFile(join(folder, "manifest.json"), JSON.stringify({ ...manifest, files }));
}

/** Makes a bundle one whose profiles need the whole encoder. */
async function removeTail(folder: string): Promise<void> {
  const whole: Manifest = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8"));
  const { tail: _tail, packed: _packed, ...manifest } = whole;
  const files = manifest.files.filter(({ role }) => role !== "tail" && role !== "packed");
  await writeFile(join(folder, "manifest.json"), JSON.stringify({ ...manifest, format: "xpeft-bundle/1", files }));
}

/** Faults of the service, which no caller can fix. */
export const faultProvocations = {
  invalid_mask: damagedRow("bad-masks", "UPDATE profiles SET masks = x'00' WHERE task"),

  invalid_label_bias: damagedRow("bad-bias", "UPDATE profiles SET label_bias = x'00' WHERE task"),

  invalid_row: damagedRow("bad-labels", "UPDATE tasks SET labels = 'none' WHERE name"),

  invalid_manifest: damagedBundle((folder) => writeFile(join(folder, "manifest.json"), "{}")),

  bundle_file_missing: damagedBundle((folder) => rm(join(folder, "tokenizer.json"))),

  bundle_file_corrupt: damagedBundle((folder) => appendFile(join(folder, "tokenizer.json"), " ")),

  bundle_unusable: damagedBundle((folder) => replaceFile(folder, "tokenizer.json", "{}")),

  async bundle_without_tail({ bundle }) {
    const worker = await startDamaged(removeTail);
    await worker.push(taskFor(bundle), []);
    return await worker.request("POST", "/v1/fanout", { body: { task: REQUEST.task, text: "a", profiles: "all" } });
  },

  async invalid_setting() {
    const worker = await startOther({ vars: { CACHE_TTL_SECONDS: "soon" } });
    return await worker.get("/v1/tasks");
  },

  async database_unavailable() {
    const worker = await startOther({ database: false });
    return await worker.get("/v1/tasks", { key: null });
  },

  async internal_error() {
    // Every deploy has its bundle, so no code checks for the binding.
    return await (await startOther({ assets: false })).predict(REQUEST);
  },
} satisfies Provocations;
