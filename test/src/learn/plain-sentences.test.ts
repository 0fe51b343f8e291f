import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { loadEngine } from "../../../node/engine.ts";
import { DEFAULT_BUNDLE, readBundle, readProfilesFile, readTaskFile } from "../../../node/files.ts";
import type { Start } from "../../../src/learn/reader.ts";
import type { ProfileParts } from "../../../src/profiles/profile.ts";
import type { Task } from "../../../src/profiles/task.ts";
import type { Engine } from "../../../src/serving/engine.ts";

/** Written before learning was tried on them. The person of docs/learn.md gives 1 for kind and plain words, 5 for insults. */
const SENTENCES = [
  ["Good morning, everyone", "1"],
  ["You are an idiot", "5"],
  ["Thanks for your help yesterday", "1"],
  ["Shut up and go away", "5"],
  ["The meeting starts at ten", "1"],
  ["What a stupid thing to say", "5"],
  ["I really enjoyed your talk", "1"],
  ["Nobody likes you", "5"],
  ["Happy birthday, dear Anna", "1"],
  ["You are too dumb to understand this", "5"],
  ["Please send me the photos", "1"],
  ["Your work is worthless", "5"],
  ["The weather is nice today", "1"],
  ["Go to hell, you liar", "5"],
] as const;

/** Kept aside while learning was changed. */
const ASIDE = [
  ["Dinner is at seven", "1"],
  ["You make me sick", "5"],
  ["Congratulations on the new job", "1"],
  ["Only an idiot would believe that", "5"],
  ["The train was on time", "1"],
  ["Keep your stupid opinions to yourself", "5"],
  ["I hope you feel better soon", "1"],
  ["You ruin everything you touch", "5"],
  ["Could you water the plants, please?", "1"],
  ["What an ugly coat you have", "5"],
  ["This cake is delicious", "1"],
  ["Stop whining, you coward", "5"],
  ["We moved the table to the kitchen", "1"],
  ["Your painting looks like garbage", "5"],
  ["Welcome to the team", "1"],
  ["You are a pathetic loser", "5"],
  ["The shop opens on Monday", "1"],
  ["Nobody wants to hear your voice", "5"],
  ["Have a great holiday", "1"],
  ["You are the worst cook I know", "5"],
] as const;

let engine: Engine;
let task: Task;
let parts: ProfileParts;

beforeAll(async () => {
  engine = await loadEngine(DEFAULT_BUNDLE);
  const bundle = await readBundle(DEFAULT_BUNDLE);
  task = { ...(await readTaskFile(join("bundles", "demo", "offense", "task.json"), bundle)), generation: 1 };
  const page = await readFile("docs/learn.md", "utf8");
  const [, csv = ""] = /<<'END'\n(.*?)\nEND\n/s.exec(page) ?? [];
  const examples = Array.from(csv.matchAll(/^"?(.+?)"?,([15])$/gm), ([, text = "", label = ""]) => ({
    input: { text },
    label,
  }));
  expect(examples).toHaveLength(12);
  // As `xpeft learn offense me examples.csv` has them.
  const known = (await readProfilesFile(join("bundles", "demo", "offense", "profiles.ndjson"), task, bundle)).slice(
    0,
    64,
  );
  const starts: [Start, ...Start[]] = [
    { profile: null, parts: { masks: task.masks, labelBias: null } },
    ...known.map(({ id, ...rest }) => ({ profile: id, parts: rest })),
  ];
  const hooks = { onProgress: async () => {}, signal: new AbortController().signal, budgetSeconds: 60 };
  ({ parts } = await engine.learn(task, { examples, starts }, hooks));
  // As docs/learn.md says.
  expect([parts.masks.length, parts.labelBias?.length]).toEqual([0, 791]);
});

async function wrong(sentences: readonly (readonly [string, string])[]): Promise<string[]> {
  const inputs = sentences.map(([text]) => ({ input: { text }, parts }));
  const { predictions } = await engine.predict(task, inputs);
  return sentences.flatMap(([text, label], index) => (predictions[index]?.label === label ? [] : [text]));
}

it("answers plain sentences as the person of docs/learn.md would, from twelve examples", async () => {
  expect(await wrong(SENTENCES)).toEqual([]);
});

it("answers all but one of twenty sentences that were kept aside", async () => {
  expect(await wrong(ASIDE)).toEqual(["You ruin everything you touch"]);
});
