import type { TargetBundle } from "../bundle/manifest.ts";
import type { Line } from "../lib/ndjson.ts";
import type { StoredTask } from "../profiles/task.ts";
import { type ImportOptions, importBy, type LineResult } from "../storage/import.ts";
import { writeLines } from "../storage/import-write.ts";
import { requireStep } from "./generations.ts";
import { atShard, byShard, numbersOf, type Shards } from "./shards.ts";

/**
 * Writes profiles as their lines arrive, each into the database that it belongs in. Of each group of lines, those of one
 * database are one transaction.
 *
 * @param task the task as the lines are checked against it
 * @returns a result for each line, in order, group by group; it throws XpeftError `database_unavailable`, and what was given
 * before stays written, as does of the group that fails what went to other databases
 * @throws XpeftError `shards_out_of_step`, before any line is read
 */
export async function importSpread(
  shards: Shards,
  task: StoredTask,
  bundle: TargetBundle,
  groups: AsyncIterable<readonly Line[]>,
  options: ImportOptions,
): Promise<AsyncGenerator<LineResult[]>> {
  await requireStep(shards, task.name, numbersOf(shards));
  return importBy(
    async (lines) => {
      const parts = byShard(task.name, lines, ({ profile }) => profile.id, shards.count);
      const written = [...parts].map(([number, own]) =>
        atShard(shards, number, (db) => writeLines(db, task, own, options.dryRun)),
      );
      return (await Promise.all(written)).flat();
    },
    task,
    bundle,
    groups,
    options,
  );
}
