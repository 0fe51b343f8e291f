import type { Client } from "../../client/index.ts";
import { CommandError } from "../../node/errors.ts";
import type { Bundle } from "../../src/bundle/manifest.ts";
import { parseProfile } from "../../src/profiles/file-format.ts";
import type { NewTask } from "../../src/profiles/task.ts";
import { describeError } from "../errors.ts";
import { readServedTask } from "../learn/learner-remote.ts";
import type { ProgressBar } from "../progress.ts";
import { exportedProfiles } from "../registry/profiles-bulk.ts";
import { listTasks } from "../registry/tasks.ts";

/** Damaged rows that are told one by one. */
const MOST_TOLD = 20;

/** A row as it was read, and what is wrong with it. */
interface Row {
  readonly name: string;
  readonly fault: string | null;
}

async function faultOf(read: () => unknown): Promise<string | null> {
  try {
    await read();
    return null;
  } catch (error) {
    return describeError(error);
  }
}

/** Every task, and every profile of those that can be read. */
async function* readRows(client: Client, bundle: Bundle): AsyncGenerator<Row> {
  for await (const { task: name } of listTasks(client)) {
    let task: NewTask | undefined;
    const fault = await faultOf(async () => {
      task = await readServedTask(client, name, bundle);
    });
    yield { name, fault };
    if (!task) continue;
    const known = task;
    for await (const line of exportedProfiles(client, name, "")) {
      const damage = await faultOf(() => parseProfile(JSON.stringify(line), known, bundle));
      yield { name: `${name}/${line.profile}`, fault: damage };
    }
  }
}

/**
 * Reads every row through a Worker, and checks it against the bundle that it must be of.
 *
 * @returns what was found, where all is well
 * @throws CommandError that names the damaged ones; ProblemError if they cannot be read
 */
export async function checkRows(client: Client, bundle: Bundle, progress: ProgressBar): Promise<string> {
  const damaged: Row[] = [];
  let sound = 0;
  for await (const row of readRows(client, bundle)) {
    progress.add(1);
    if (row.fault === null) sound++;
    else damaged.push(row);
  }
  if (damaged.length === 0) return `${sound} tasks and profiles are as this bundle wants them`;
  const told = damaged.slice(0, MOST_TOLD).map(({ name, fault }) => `${name}: ${fault}`);
  if (damaged.length > MOST_TOLD) told.push(`… and ${damaged.length - MOST_TOLD} more`);
  throw new CommandError(
    [`${damaged.length} of ${damaged.length + sound} tasks and profiles are damaged.`, ...told].join("\n"),
    "Write each again, from its training or a backup; a profile can also go back to an earlier generation.",
  );
}
