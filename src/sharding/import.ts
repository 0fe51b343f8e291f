import type { Bundle } from "../bundle/manifest.ts";
import type { Line } from "../lib/ndjson.ts";
import type { StoredTask } from "../profiles/task.ts";
import { type ImportOptions, importGroups, type LineResult } from "../storage/import.ts";
import { writeLines } from "../storage/import-write.ts";
import { requireSameGeneration } from "./generations.ts";
import { groupByShard, onShard, type Shards, shardNumbers } from "./shards.ts";

/**
 * Writes profiles as their lines arrive, each to its database. In each group, the lines of one database are one
 * transaction.
 *
 * @param task the lines are checked against this task
 * @returns a result for each line, in order, group by group. It throws XpeftError `database_unavailable`; earlier
 * groups stay written, and so do lines of the failing group in other databases
 * @throws XpeftError `shards_out_of_step` before any line is read
 */
export async function importProfiles(
  shards: Shards,
  task: StoredTask,
  bundle: Bundle,
  groups: AsyncIterable<readonly Line[]>,
  options: ImportOptions,
): Promise<AsyncGenerator<LineResult[]>> {
  await requireSameGeneration(shards, task.name, shardNumbers(shards));
  return importGroups(
    async (lines) => {
      const parts = groupByShard(task.name, lines, ({ profile }) => profile.id, shards.count);
      const written = [...parts].map(([number, shardLines]) =>
        onShard(shards, number, (db) => writeLines(db, task, shardLines, options.dryRun)),
      );
      return (await Promise.all(written)).flat();
    },
    task,
    bundle,
    groups,
    options,
  );
}
