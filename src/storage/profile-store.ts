import { and, eq, sql } from "drizzle-orm";
import { profiles, tasks } from "../../schema/tables.ts";
import type { ProfileStore, TaskAndProfiles } from "../profiles/profile-store.ts";
import { type Database, withDatabaseErrors } from "./database.ts";
import { profileFromRow, taskFromRow } from "./rows.ts";
import { shardPlaceSql } from "./sql.ts";

/** Rows of one database. */
export interface ReadRows extends TaskAndProfiles {
  /** The database's own place, such as "1/2"; null if it has none or the task does not exist. */
  readonly place: string | null;
}

/**
 * Returns a task and profiles of it, by one query of one database.
 *
 * @param ids different ids; there may be none
 * @param known the task is not read if it is at this generation; with "all", it is never read
 * @throws XpeftError `invalid_row` if what is stored cannot be read, `database_unavailable`
 */
export async function readRows(
  db: Database,
  task: string,
  ids: readonly string[],
  known: number | null | "all",
): Promise<ReadRows> {
  // A head or an adapter can be as large as a thousand profiles, so only the first row has it. All ids are one
  // parameter.
  // No profile has an empty id: it makes a row for the task if no profile is requested.
  const idRows = sql`json_each(${JSON.stringify(ids.length > 0 ? ids : [""])})`;
  const withTask = known === "all" ? sql`FALSE` : sql`json_each.key = 0 AND ${tasks.generation} IS NOT ${known}`;
  const rows = await withDatabaseErrors(() =>
    db
      .select({
        generation: tasks.generation,
        bundle: tasks.bundle,
        labels: tasks.labels,
        maxTokens: tasks.maxTokens,
        head: sql<Uint8Array | null>`CASE WHEN ${withTask} THEN ${tasks.head} END`.mapWith(tasks.head),
        masks: sql<Uint8Array | null>`CASE WHEN ${withTask} THEN ${tasks.masks} END`.mapWith(tasks.masks),
        adapter: sql<Uint8Array | null>`CASE WHEN ${withTask} THEN ${tasks.adapter} END`.mapWith(tasks.adapter),
        place: shardPlaceSql,
        profile: profiles,
      })
      .from(tasks)
      .innerJoin(idRows, sql`TRUE`)
      .leftJoin(profiles, and(eq(profiles.task, tasks.name), sql`${profiles.id} = json_each.value`))
      .where(eq(tasks.name, task))
      .orderBy(sql`json_each.key`),
  );
  const [first] = rows;
  if (first === undefined) return { generation: null, task: null, profiles: new Map(), place: null };
  const { profile: _profile, head, masks, place, ...rest } = first;
  return {
    generation: rest.generation,
    task: head && masks && taskFromRow({ ...rest, name: task, head, masks }),
    profiles: new Map(rows.flatMap(({ profile }) => (profile ? [[profile.id, profileFromRow(profile)]] : []))),
    place,
  };
}

/** Creates the store of a single database whose migrations are applied. */
export function createProfileStore(db: Database): ProfileStore {
  return {
    async read(task, ids, known) {
      const { place: _place, ...rows } = await readRows(db, task, ids, known);
      return rows;
    },
  };
}
