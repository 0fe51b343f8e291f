// `npm run bench:heap [url]`: the encoder's WebAssembly memory in a running Worker after 100 predictions of mixed tasks,
// profiles and lengths, made with the demo's profiles. Prints one line of JSON; fails above the bound.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "../cli/client.ts";
import { describeError } from "../cli/errors.ts";
import { DEFAULT_BUNDLE, DEMO, readBundle, readProfilesFile, readTaskFile } from "../cli/files.ts";

const PREDICTIONS = 100;
const MOST_BYTES = 64e6;
const LONGEST_WORDS = 80;

/** Profiles of all the demo's tasks, as many as there are predictions to make. */
async function demoProfiles(): Promise<{ task: string; id: string }[]> {
  const bundle = await readBundle(DEFAULT_BUNDLE);
  const profiles: { task: string; id: string }[] = [];
  for (const folder of await readdir(DEMO)) {
    const task = await readTaskFile(join(DEMO, folder, "task.json"), bundle);
    const own = await readProfilesFile(join(DEMO, folder, "profiles.ndjson"), task, bundle);
    profiles.push(...own.map(({ id }) => ({ task: task.name, id })));
  }
  const stride = Math.floor(profiles.length / PREDICTIONS);
  if (stride === 0) throw new Error(`The demo has ${profiles.length} profiles, fewer than ${PREDICTIONS}.`);
  return profiles.filter((_, index) => index % stride === 0).slice(0, PREDICTIONS);
}

try {
  const client = createClient(process.argv[2] ?? "http://localhost:8787", process.env.XPEFT_KEY);
  for (const [index, { task, id }] of (await demoProfiles()).entries()) {
    // A stride that shares no factor with the longest text gives every length a turn.
    const text = "word ".repeat(1 + ((index * 37) % LONGEST_WORDS));
    await client.predict({ task, profile: id, inputs: [{ text }] });
  }
  const heapBytes = await client.heapBytes();
  console.log(JSON.stringify({ predictions: PREDICTIONS, heapBytes, heapMegabytes: heapBytes / 1e6 }));
  if (heapBytes > MOST_BYTES) throw new Error(`The heap is over ${MOST_BYTES} bytes.`);
} catch (error) {
  console.error(describeError(error));
  process.exitCode = 1;
}
