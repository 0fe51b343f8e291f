import { and, eq, sql } from "drizzle-orm";
import { profiles, tasks } from "../../schema/tables.ts";
import type { Database } from "../database.ts";
import { XpeftError } from "../errors.ts";
import { parseImportLine, profileFrom, type TargetBundle } from "../exchange.ts";
import type { Line } from "../ndjson.ts";
import type { NewProfile } from "../push.ts";
import type { StoredTask } from "../rows.ts";
import { generationMismatch, meets, taskChanged } from "./expected.ts";
import { reach } from "./reach.ts";
import { firstGeneration, replaceProfile } from "./sql.ts";

/** What became of a line: its profile's row, or why it was not written. */
export type LineResult = { readonly line: number } & (
  | { readonly profile: string; readonly status: "created" | "replaced" | "unchanged"; readonly generation: number }
  | { readonly profile: string | null; readonly status: "failed"; readonly error: XpeftError }
);

/** How profiles are to be imported. */
export interface ImportOptions {
  /** Whether to tell only what would be done. */
  readonly dryRun: boolean;
  /** Throws if the caller may not write this profile. */
  readonly allow: (id: string) => void;
}

interface ReadLine {
  readonly line: number;
  readonly profile: NewProfile;
  readonly expected: number | undefined;
}

const FAULTS = { encoding: "This is not UTF-8.", length: "This line is too long to be a profile's." };

function failed(line: number, profile: string | null, thrown: unknown): LineResult {
  if (!(thrown instanceof XpeftError)) throw thrown;
  return { line, profile, status: "failed", error: thrown };
}

function twice(id: string, line: number): XpeftError {
  return new XpeftError(
    "mismatched_write",
    `Profile "${id}" is in line ${line} too.`,
    "Leave one of the two lines: which of them is meant cannot be told.",
  );
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/**
 * Writes profiles as their lines arrive. Each group of lines is one transaction, and a profile that already is as its line
 * says is left at its generation, so that an import that was broken off can simply be sent again.
 *
 * @param task the task as the lines are checked against it
 * @param groups lines, as from `readLines`; the bytes of a group must be far under the 2 MB of a parameter
 * @returns a result for each line, in order, group by group
 * @throws XpeftError `database_unavailable`; what was given before stays written
 */
export async function* importProfiles(
  db: Database,
  task: StoredTask,
  bundle: TargetBundle,
  groups: AsyncIterable<readonly Line[]>,
  options: ImportOptions,
): AsyncGenerator<LineResult[]> {
  const seen = new Map<string, number>();

  function parse({ number, text, fault }: Line): ReadLine | LineResult {
    let id: string | null = null;
    try {
      if (fault) throw new XpeftError("invalid_row", FAULTS[fault], "docs/formats.md tells what is expected.");
      const { fields, expected } = parseImportLine(text ?? "");
      id = fields.profile;
      options.allow(id);
      const earlier = seen.get(id);
      if (earlier !== undefined) throw twice(id, earlier);
      const profile = profileFrom(fields, task, bundle);
      seen.set(id, number);
      return { line: number, profile, expected };
    } catch (thrown) {
      return failed(number, id, thrown);
    }
  }

  async function write(lines: readonly ReadLine[]): Promise<LineResult[]> {
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
    const [[now], before] = await reach(async () => {
      if (options.dryRun) return await db.batch([taskNow, stand]);
      const [task, rows] = await db.batch([taskNow, stand, upsert]);
      return [task, rows];
    });

    return lines.map(({ line, profile, expected }, index) => {
      const { generation = 0, first = 1, same = 0 } = before[index] ?? {};
      if (now?.generation !== task.generation) return failed(line, profile.id, taskChanged(task.name));
      const done = { line, profile: profile.id };
      // Also where another generation is expected: an import that is sent again finds what it wrote itself.
      if (same) return { ...done, status: "unchanged", generation };
      if (!meets(expected, generation)) {
        return failed(line, profile.id, generationMismatch(`Profile "${profile.id}"`, expected, generation));
      }
      if (generation === 0) return { ...done, status: "created", generation: first };
      return { ...done, status: "replaced", generation: generation + 1 };
    });
  }

  for await (const group of groups) {
    const parsed = group.map(parse);
    const results = parsed.filter((one): one is LineResult => "status" in one);
    const good = parsed.filter((one): one is ReadLine => !("status" in one));
    if (good.length > 0) results.push(...(await write(good)));
    yield results.sort((a, b) => a.line - b.line);
  }
}
