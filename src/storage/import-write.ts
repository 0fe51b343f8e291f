import { and, eq, sql } from "drizzle-orm";
import { profiles, tasks } from "../../schema/tables.ts";
import { toHex } from "../lib/hex.ts";
import { describeProfile } from "../profiles/names.ts";
import type { StoredTask } from "../profiles/task.ts";
import { type Database, withDatabaseErrors } from "./database.ts";
import { failedLine, type LineResult, type ParsedLine } from "./import.ts";
import { generationMismatchError, meetsPrecondition, taskChangedError } from "./precondition.ts";
import { firstGeneration, replaceProfile } from "./sql.ts";

/**
 * Writes a group of profiles in one transaction; profiles that already equal their lines stay unchanged.
 *
 * @param task the lines were checked against this task: if it was written since, each line fails
 * @returns a result for each line, in their order
 * @throws XpeftError `database_unavailable`
 */
export async function writeLines(
  db: Database,
  task: StoredTask,
  lines: readonly ParsedLine[],
  dryRun: boolean,
): Promise<LineResult[]> {
  const rows = JSON.stringify(
    lines.map(({ profile: { id, masks, labelBias }, expected }) => ({
      id,
      masks: toHex(masks),
      labelBias: labelBias && toHex(labelBias),
      expected,
    })),
  );
  const lineRows = sql`json_each(${rows})`;
  const id = sql`json_each.value ->> 'id'`;
  const masks = sql`unhex(json_each.value ->> 'masks')`;
  const labelBias = sql`unhex(json_each.value ->> 'labelBias')`;
  const expected = sql`json_each.value ->> 'expected'`;
  const row = sql`${profiles.task} = ${task.name} AND ${profiles.id} = ${id}`;
  const first = firstGeneration(task.name, id);

  const currentTask = db.select({ generation: tasks.generation }).from(tasks).where(eq(tasks.name, task.name));
  const currentProfiles = db
    .select({
      generation: sql<number>`coalesce(${profiles.generation}, 0)`,
      first,
      same: sql<number>`${profiles.masks} IS ${masks} AND ${profiles.labelBias} IS ${labelBias}`,
    })
    .from(lineRows)
    .leftJoin(profiles, row)
    .orderBy(sql`json_each.key`);
  const upsert = db
    .insert(profiles)
    .select(
      // In the order of the table's columns.
      sql`SELECT ${task.name}, ${id}, ${masks}, ${labelBias}, ${first}, ${Date.now()} FROM ${lineRows}
        WHERE EXISTS (SELECT 1 FROM ${tasks} WHERE ${and(eq(tasks.name, task.name), eq(tasks.generation, task.generation))})
        AND coalesce(${expected} = coalesce((SELECT ${profiles.generation} FROM ${profiles} WHERE ${row}), 0), TRUE)`,
    )
    .onConflictDoUpdate({
      ...replaceProfile,
      setWhere: sql`${profiles.masks} IS NOT excluded.masks OR ${profiles.labelBias} IS NOT excluded.label_bias`,
    });
  const [[storedTask], before] = await withDatabaseErrors(async () => {
    if (dryRun) return await db.batch([currentTask, currentProfiles]);
    const [task, rows] = await db.batch([currentTask, currentProfiles, upsert]);
    return [task, rows];
  });

  return lines.map(({ line, profile, expected }, index) => {
    const { generation = 0, first = 1, same = 0 } = before[index] ?? {};
    if (storedTask?.generation !== task.generation) return failedLine(line, profile.id, taskChangedError(task.name));
    const result = { line, profile: profile.id };
    // Even if another generation is expected: a repeated import finds its own rows.
    if (same) return { ...result, status: "unchanged", generation };
    if (!meetsPrecondition(expected, generation)) {
      return failedLine(line, profile.id, generationMismatchError(describeProfile(profile), expected, generation));
    }
    if (generation === 0) return { ...result, status: "created", generation: first };
    return { ...result, status: "replaced", generation: generation + 1 };
  });
}
