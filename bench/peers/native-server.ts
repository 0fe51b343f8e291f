// `node bench/peers/native-server.ts FOLDER`: serves FOLDER's task and profiles by native ONNX Runtime on one thread. Bundle,
// tokenizer, pool, merge and head are the Worker's own code.
import { join } from "node:path";
import { LRUCache } from "lru-cache";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { compileKernels } from "../../node/engine.ts";
import { readBundle, readFolder, readProfilesFile, readTaskFile } from "../../node/files.ts";
import { readVerified } from "../../src/bundle/files.ts";
import { oneWithRole } from "../../src/bundle/manifest.ts";
import { createAdapterReader } from "../../src/model/adapter-reader.ts";
import { type MergedAdapters, mergeAdapters, mergedBytes } from "../../src/model/merge.ts";
import { loadPool } from "../../src/model/pool/load.ts";
import { createTokenizer } from "../../src/text/tokenizer.ts";
import { BUNDLE, ENCODER } from "../graphs.ts";
import { predictionOf, serve } from "./serve.ts";

/** The size of the Worker's cache when the peers were measured. */
const MERGED_CACHE_BYTES = 16 * 2 ** 20;

const folder = process.argv[2] ?? ".";
const bundle = await readBundle(BUNDLE);
const { layers, hidden, bottleneck, files } = bundle.manifest;
const task = await readTaskFile(join(folder, "task.json"), bundle);
const taskAdapter = await createAdapterReader(bundle.manifest)(task.adapter);
const rows = await readProfilesFile(join(folder, "profiles.ndjson"), task, bundle);
const masksById = new Map(rows.map(({ id, masks }) => [id, masks]));
const read = readFolder(BUNDLE);
const pool = await loadPool(bundle.manifest, read, await compileKernels());
const tokenizer = createTokenizer(await readVerified(read, oneWithRole(files, "tokenizer")));
const session = await InferenceSession.create(join(BUNDLE, ENCODER.graph), {
  executionProviders: ["cpu"],
  executionMode: "sequential",
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
});

const cache = new LRUCache<string, MergedAdapters>({
  maxSize: MERGED_CACHE_BYTES,
  sizeCalculation: () => mergedBytes(pool),
});
const zeros = new Float32Array(layers * bottleneck);
const gain = new Tensor("float32", zeros.slice().fill(1), [layers, bottleneck]);
const shift = new Tensor("float32", zeros, [layers, bottleneck]);

function merge(profile: string): MergedAdapters {
  const masks = masksById.get(profile);
  if (!masks) throw new RangeError(`There is no profile "${profile}".`);
  const merged = cache.get(profile) ?? mergeAdapters(taskAdapter?.pool ?? pool, masks, taskAdapter);
  cache.set(profile, merged);
  return merged;
}

await serve(async ({ profile, text }) => {
  const { ids, typeIds } = tokenizer.encode({ text }, task.maxTokens);
  const { down, up } = merge(profile);
  const { features } = await session.run({
    input_ids: new Tensor("int32", ids, [1, ids.length]),
    token_type_ids: new Tensor("int32", typeIds, [1, ids.length]),
    adapter_down: new Tensor("float32", down, [layers, hidden, bottleneck]),
    adapter_up: new Tensor("float32", up, [layers, bottleneck, hidden]),
    adapter_gain: gain,
    adapter_shift: shift,
  });
  if (!(features?.data instanceof Float32Array)) throw new TypeError("The encoder returned no features.");
  return predictionOf(task, features.data, ids.length);
});
