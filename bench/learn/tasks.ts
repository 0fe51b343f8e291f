// `npm run bench:tasks -- DATA OUT [SET...]`: learns tasks from slices of labelled texts, and writes their features and
// answers for `python -m bench.task_heads OUT`.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { z } from "zod";
import { loadEngine } from "../../node/engine.ts";
import { DEFAULT_BUNDLE } from "../../node/files.ts";
import { summarizeHeldOut } from "../../src/learn/held-out-scores.ts";
import { createRandom } from "../../src/learn/random.ts";
import { fitTaskHead } from "../../src/learn/task-head.ts";
import { bytesFromFloats } from "../../src/lib/floats.ts";
import { labelLogits } from "../../src/model/head.ts";
import type { TaskParts } from "../../src/profiles/task.ts";
import type { Engine } from "../../src/serving/engine.ts";

const recordSchema = z.object({
  profile: z.string(),
  text: z.string(),
  text_pair: z.string().optional(),
  label: z.string(),
  split: z.string(),
});

type LabelledText = z.infer<typeof recordSchema> & { readonly features: Float32Array };

/** Profiles of each data set, and the most texts of a profile's train and test split that are read. */
const SETS = [
  { name: "intents", profiles: 10, train: 250, test: 150 },
  { name: "reviews", profiles: 8, train: 220, test: 150 },
  { name: "news", profiles: 16, train: 200, test: 60 },
];
const COUNTS = [50, 200];
const SEEDS = [1, 2, 3];
const TARGET_ACCURACY = 0.9;

const [data = "", out = "", ...names] = process.argv.slice(2);
const engine = await loadEngine(DEFAULT_BUNDLE);
await mkdir(out, { recursive: true });
for (const set of SETS.filter(({ name }) => names.length === 0 || names.includes(name))) {
  const zipped = await readFile(join(data, set.name, "profiles.jsonl.gz"));
  const lines = gunzipSync(zipped).toString().trim().split("\n");
  const records = lines.map((line) => recordSchema.parse(JSON.parse(line)));
  const random = createRandom(0);
  const ids = random.shuffled([...new Set(records.map(({ profile }) => profile))].sort()).slice(0, set.profiles);
  for (const id of ids) {
    const pick = (split: string, most: number) =>
      random.shuffled(records.filter((record) => record.profile === id && record.split === split)).slice(0, most);
    const train = await withFeatures(engine, pick("train", set.train));
    const test = await withFeatures(engine, pick("test", set.test));
    for (const count of COUNTS) {
      for (const seed of SEEDS) await learnSlice({ set: set.name, id, count, seed }, train, test);
    }
    console.log(`${id}: ${train.length} and ${test.length} texts`);
  }
}

/** Returns texts with their features: the logits of a head that is the identity. */
async function withFeatures(
  { bundle, predict }: Engine,
  texts: readonly z.infer<typeof recordSchema>[],
): Promise<LabelledText[]> {
  const { hidden, maxTokens } = bundle.manifest;
  const head = new Float32Array(hidden * hidden + hidden);
  for (let i = 0; i < hidden; i++) head[i * hidden + i] = 1;
  const labels = Array.from({ length: hidden }, (_, i) => String(i));
  const task: TaskParts = { name: "features", bundle: bundle.id, labels, maxTokens, head, adapter: null };
  const inputs = texts.map(({ text, text_pair: textPair }) => ({
    parts: { masks: new Uint8Array(), labelBias: null },
    input: { text, ...(textPair && { textPair }) },
  }));
  const { predictions } = await predict(task, inputs, { patient: true });
  return texts.map((text, index) => ({ ...text, features: Float32Array.from(predictions[index]?.logits ?? []) }));
}

/** Learns a task from some of the training texts, labels the test texts with its labels, and writes both. */
async function learnSlice(
  slice: { set: string; id: string; count: number; seed: number },
  allTrain: readonly LabelledText[],
  allTest: readonly LabelledText[],
): Promise<void> {
  const random = createRandom(slice.seed);
  const drawn = random.shuffled(allTrain).slice(0, slice.count);
  const counts = Map.groupBy(drawn, ({ label }) => label);
  const labels = [...counts].flatMap(([label, { length }]) => (length < 2 ? [] : [label]));
  const [train, test] = [drawn, allTest].map((texts) => texts.filter(({ label }) => labels.includes(label)));
  if (!train || !test || labels.length < 2 || test.length === 0) return;
  const { hidden } = engine.bundle.manifest;
  const features = flatten(train);
  const targets = train.map(({ label }) => Float64Array.from(labels, (known) => Number(known === label)));
  const startMs = performance.now();
  const { head, scale, heldOut } = await fitTaskHead(
    { features, hidden, targets, counts: train.map(() => 1), labels: labels.length },
    createRandom(slice.seed),
    { afterStep: async () => {}, afterFit: async () => {} },
  );
  const seconds = (performance.now() - startMs) / 1000;
  const { score, calibrationError, abstention } = summarizeHeldOut(heldOut, scale, TARGET_ACCURACY);
  const task = { labels, head: Float32Array.from([...head.weight, ...head.bias]), adapter: null };
  const logits = test.map((text) => labelLogits(task, null, text.features));
  const name = `${slice.id}+${slice.count}+${slice.seed}`;
  const rows = (texts: readonly LabelledText[]) => texts.map(({ label }) => labels.indexOf(label));
  const record = { ...slice, labels: labels.length, train: rows(train), test: rows(test), logits, seconds };
  const found = { heldOut: score, calibrationError, abstention };
  await writeFile(join(out, `${name}.json`), JSON.stringify({ ...record, ...found }));
  await writeFile(join(out, `${name}.f32`), bytesFromFloats(flatten([...train, ...test])));
}

/** Returns the features of texts, `[texts, hidden]`. */
function flatten(texts: readonly LabelledText[]): Float32Array {
  return Float32Array.from(texts.flatMap(({ features }) => [...features]));
}
