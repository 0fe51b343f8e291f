import { and, eq, sql } from "drizzle-orm";
import { profiles, tasks } from "../../schema/tables.ts";
import type { StoredTask } from "../profiles/task.ts";
import type { Database } from "./database.ts";
import { withDatabaseErrors } from "./database.ts";
import { failedLine, type LineResult, type ParsedLine } from "./import.ts";
import { generationMismatchError, meetsPrecondition, taskChangedError } from "./precondition.ts";
import { firstGeneration, replaceProfile } from "./sql.ts";

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/**
 * Writes a group of profiles in one transaction, each that is not as it is to be already.
 *
 * @param task the task as the lines were checked against it: where it has been written since, each line fails
 * @returns a result for each line, in order
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
      masks: hex(masks),
      labelBias: labelBias && hex(labelBias),
      expected,
    })),
  );
  const given = sql`json_each(${rows})`;
  const id = sql`json_each.value ->> 'id'`;
  const masks = sql`unhex(json_each.value ->> 'masks')`;
  const labelBias = sql`unhex(json_each.value ->> 'labelBias')`;
  const expected = sql`json_each.value ->> 'expected'`;
  const row = sql`${profiles.task} = ${task.name} AND ${profiles.id} = ${id}`;
  const first = firstGeneration(task.name, id);

  const taskNow = db.select({ generation: tasks.generation }).from(tasks).where(eq(tasks.name, task.name));
  const stand = db
    .select({
      generation: sql<number>`coalesce(${profiles.generation}, 0)`,
      first,
      same: sql<number>`${profiles.masks} IS ${masks} AND ${profiles.labelBias} IS ${labelBias}`,
    })
    .from(given)
    .leftJoin(profiles, row)
    .orderBy(sql`json_each.key`);
  const upsert = db
    .insert(profiles)
    .select(
      // In the order of the table's columns.
      sql`SELECT ${task.name}, ${id}, ${masks}, ${labelBias}, ${first}, ${Date.now()} FROM ${given}
        WHERE EXISTS (SELECT 1 FROM ${tasks} WHERE ${and(eq(tasks.name, task.name), eq(tasks.generation, task.generation))})
        AND coalesce(${expected} = coalesce((SELECT ${profiles.generation} FROM ${profiles} WHERE ${row}), 0), TRUE)`,
    )
    .onConflictDoUpdate({
      ...replaceProfile,
      setWhere: sql`${profiles.masks} IS NOT excluded.masks OR ${profiles.labelBias} IS NOT excluded.label_bias`,
    });
  const [[now], before] = await withDatabaseErrors(async () => {
    if (dryRun) return await db.batch([taskNow, stand]);
    const [task, rows] = await db.batch([taskNow, stand, upsert]);
    return [task, rows];
  });

  return lines.map(({ line, profile, expected }, index) => {
    const { generation = 0, first = 1, same = 0 } = before[index] ?? {};
    if (now?.generation !== task.generation) return failedLine(line, profile.id, taskChangedError(task.name));
    const done = { line, profile: profile.id };
    // Also where another generation is expected: an import that is sent again finds what it wrote itself.
    if (same) return { ...done, status: "unchanged", generation };
    if (!meetsPrecondition(expected, generation)) {
      return failedLine(line, profile.id, generationMismatchError(`Profile "${profile.id}"`, expected, generation));
    }
    if (generation === 0) return { ...done, status: "created", generation: first };
    return { ...done, status: "replaced", generation: generation + 1 };
  });
}
