import type { Client } from "../../client/index.ts";
import { CommandError } from "../../node/errors.ts";
import type { Bundle } from "../../src/bundle/manifest.ts";
import { parseProfile } from "../../src/profiles/file-format.ts";
import { profileTaskOf } from "../../src/profiles/profile-task.ts";
import type { NewTask } from "../../src/profiles/task.ts";
import { describeError } from "../errors.ts";
import { readWorkerTask } from "../learn/worker-learner.ts";
import type { ProgressBar } from "../progress.ts";
import { exportProfiles } from "../registry/profiles-pull.ts";
import { listTasks } from "../registry/tasks.ts";

/** How many damaged rows are reported one by one. */
const MAX_REPORTED = 20;

/** A row of a task or a profile, with its fault if it has one. */
interface CheckedRow {
  readonly name: string;
  readonly fault: string | null;
}

async function findFault(check: () => unknown): Promise<string | null> {
  try {
    await check();
    return null;
  } catch (error) {
    return describeError(error);
  }
}

/** Checks every task, and every profile of the tasks without a fault. */
async function* checkEachRow(client: Client, bundle: Bundle): AsyncGenerator<CheckedRow> {
  for await (const { task: name } of listTasks(client)) {
    let task: NewTask | undefined;
    const fault = await findFault(async () => {
      task = await readWorkerTask(client, name, bundle);
    });
    yield { name, fault };
    if (!task) continue;
    const profileTask = await profileTaskOf(task);
    for await (const line of exportProfiles(client, name, "")) {
      const profileFault = await findFault(() => parseProfile(JSON.stringify(line), profileTask, bundle));
      yield { name: `${name}/${line.profile}`, fault: profileFault };
    }
  }
}

/**
 * Reads every row through a Worker and checks it against a bundle.
 *
 * @returns the outcome in words
 * @throws CommandError that names damaged rows; ProblemError if rows cannot be read
 */
export async function checkRows(client: Client, bundle: Bundle, progress: ProgressBar): Promise<string> {
  const damaged: CheckedRow[] = [];
  let total = 0;
  for await (const row of checkEachRow(client, bundle)) {
    progress.increment(1);
    total++;
    if (row.fault !== null) damaged.push(row);
  }
  if (damaged.length === 0) return `all ${total} tasks and profiles fit this bundle`;
  const reports = damaged.slice(0, MAX_REPORTED).map(({ name, fault }) => `${name}: ${fault}`);
  if (damaged.length > MAX_REPORTED) reports.push(`… and ${damaged.length - MAX_REPORTED} more`);
  throw new CommandError(
    [`${damaged.length} of ${total} tasks and profiles are damaged.`, ...reports].join("\n"),
    "Write each again, from its training or from a backup. A profile can also be rolled back to an earlier generation.",
  );
}
