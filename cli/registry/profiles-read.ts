import { type Client, unwrap } from "../../client/index.ts";
import { fromBase64 } from "../../src/lib/base64.ts";
import { escapeControls } from "../../src/profiles/labels.ts";
import type { MaskShape } from "../../src/profiles/masks.ts";
import { readLabelBias } from "../../src/profiles/profile-head.ts";
import { taskMaskShape } from "../../src/profiles/task-adapter.ts";
import type { WorkerOutputOptions } from "../options.ts";
import { formatColumns, formatMinute, printResult } from "../output.ts";
import { openClient, readAllPages } from "../worker-client.ts";
import { formatMasks } from "./masks-text.ts";

const bytesOf = (row: { maskBytes: number; labelBiasBytes: number }) => row.maskBytes + row.labelBiasBytes;

const formatBytes = (bytes: number) => (bytes > 0 ? `${bytes} bytes` : "none");

/** `xpeft profiles list TASK`. */
export async function listProfiles(
  task: string,
  options: WorkerOutputOptions & { readonly prefix: string },
): Promise<void> {
  const { $get } = openClient(options).v1.profiles[":task"];
  const { prefix } = options;
  const rows = readAllPages(async ({ limit, after }) => {
    const { profiles, next } = await unwrap($get({ param: { task }, query: { limit, after, prefix } }));
    return { rows: profiles, next };
  });
  const profiles = await Array.fromAsync(rows, ({ masks: _, labelBias: __, ...row }) => ({
    ...row,
    bytes: bytesOf(row),
  }));
  printResult(options, profiles, () =>
    formatColumns(
      ["profile", "generation", "bytes", "written"],
      profiles.map(({ profile, generation, bytes, updatedAt }) => [
        profile,
        generation,
        bytes,
        formatMinute(updatedAt),
      ]),
    ),
  );
}

/** Returns a label bias as text: what is added to the logit of each label that the profile knows. */
async function formatLabelBias(
  client: Client,
  task: string,
  labelBias: string,
  knownLabels: readonly string[] | null,
): Promise<string> {
  const { labels } = await unwrap(client.v1.tasks[":task"].$get({ param: { task } }));
  const bias = readLabelBias(fromBase64(labelBias), labels.length);
  return (knownLabels ?? labels)
    .map((label) => `${escapeControls(label)} ${bias[labels.indexOf(label)]?.toFixed(2)}`)
    .join(", ");
}

/** Returns the shape of a task's masks: those of its own pool or of the bundle's. */
async function readMaskShape(client: Client, task: string): Promise<MaskShape> {
  const { bundle } = await unwrap(client.v1.info.$get());
  const { adapter } = await unwrap(client.v1.tasks[":task"].$get({ param: { task } }));
  return taskMaskShape(bundle, adapter ? fromBase64(adapter) : null);
}

/** `xpeft profiles show TASK PROFILE`. */
export async function showProfile(
  task: string,
  id: string,
  options: WorkerOutputOptions & { readonly masks?: boolean },
) {
  const client = openClient(options);
  const row = await unwrap(client.v1.profiles[":task"][":profile"].$get({ param: { task, profile: id } }));
  if (options.json) return printResult(options, row, String);
  console.log(`${task}/${id}: generation ${row.generation}, written ${row.updatedAt}`);
  console.log(`masks: ${formatBytes(row.maskBytes)}; label bias: ${formatBytes(row.labelBiasBytes)}`);
  if (row.headChangeRank > 0) console.log(`head change: rank ${row.headChangeRank}`);
  if (row.knownLabels) console.log(`known labels: ${row.knownLabels.length}`);
  if (row.labelBias !== null)
    console.log(`added to the logits: ${await formatLabelBias(client, task, row.labelBias, row.knownLabels)}`);
  if (options.masks) console.log(formatMasks(row.masks, await readMaskShape(client, task)));
}

/** `xpeft profiles history TASK PROFILE`. */
export async function showHistory(task: string, id: string, options: WorkerOutputOptions): Promise<void> {
  const client = openClient(options);
  const generations = await unwrap(
    client.v1.profiles[":task"][":profile"].history.$get({ param: { task, profile: id } }),
  );
  printResult(options, generations, () => {
    const { current, earlier } = generations;
    const rows = [current, ...earlier].map((row) => [
      row.generation,
      bytesOf(row),
      formatMinute(row.updatedAt),
      row === current ? "current" : "",
    ]);
    return formatColumns(["generation", "bytes", "written", ""], rows);
  });
}
