import { and, eq, sql } from "drizzle-orm";
import { profiles, tasks } from "../../schema/tables.ts";
import type { StoredProfile } from "../profiles/profile.ts";
import type { Task } from "../profiles/task.ts";
import type { Database } from "./database.ts";
import { withDatabaseErrors } from "./database.ts";
import { profileFromRow, taskFromRow } from "./rows.ts";
import { shardPlaceSql } from "./sql.ts";

/** A task and profiles of it as they stood at the same moment. */
export interface TaskAndProfiles {
  /** The task's generation; null where there is no such task. */
  readonly generation: number | null;
  /** The task; null where there is none, and where it still stands at the generation that was known. */
  readonly task: Task | null;
  /** By id, those that are there. */
  readonly profiles: ReadonlyMap<string, StoredProfile>;
}

/** What predictions need of the database. */
export interface ProfileStore {
  /**
   * Reads a task and any number of its profiles by one query.
   *
   * @param ids none of them twice; there may be none
   * @param known the task's generation if the caller has the task already: it is then not read again
   * @throws XpeftError `invalid_row` if what is stored cannot be read, `database_unavailable`
   */
  read(task: string, ids: readonly string[], known: number | null): Promise<TaskAndProfiles>;
}

/** What one query of a database gives. */
export interface ReadRows extends TaskAndProfiles {
  /** Which of how many databases this one says that it is, as "1/2"; null where it says nothing or has no such task. */
  readonly place: string | null;
}

/**
 * Reads a task and profiles of it by one query of one database.
 *
 * @param ids none of them twice; there may be none
 * @param known the task is left out where it stands at this generation; with "all", in any case
 * @throws XpeftError `invalid_row` if what is stored cannot be read, `database_unavailable`
 */
export async function readRows(
  db: Database,
  task: string,
  ids: readonly string[],
  known: number | null | "all",
): Promise<ReadRows> {
  // The head may weigh a thousand profiles, so it comes with the first row only; the ids take one parameter.
  // No profile has an empty id: it stands for none, so that the task has a row to come with.
  const wanted = sql`json_each(${JSON.stringify(ids.length > 0 ? ids : [""])})`;
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
        place: shardPlaceSql,
        profile: profiles,
      })
      .from(tasks)
      .innerJoin(wanted, sql`TRUE`)
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

/** The store over a single database whose migrations are applied. */
export function createProfileStore(db: Database): ProfileStore {
  return {
    async read(task, ids, known) {
      const { place: _place, ...read } = await readRows(db, task, ids, known);
      return read;
    },
  };
}
