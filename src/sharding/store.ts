import { type ProfileStore, type ReadRows, readRows, type TaskAndProfiles } from "../storage/profile-store.ts";
import { outOfStepError, retryWhileOutOfStep } from "./generations.ts";
import { checkPlace, checkShardMap } from "./shard-map.ts";
import { FIRST_SHARD, groupByShard, onShard, type Shards } from "./shards.ts";

/** What the databases that a request touches gave, by their numbers. */
type Read = ReadonlyMap<number, ReadRows>;

const NONE: TaskAndProfiles = { generation: null, task: null, profiles: new Map() };

const sameId = (id: string) => id;

/** Reads from each database that has one of the profiles, at once. @param withFirst whether from the first one in any case */
async function readEach(
  shards: Shards,
  task: string,
  ids: readonly string[],
  known: number | null,
  withFirst: boolean,
): Promise<Read> {
  const parts = groupByShard(task, ids, sameId, shards.count);
  if (withFirst && !parts.has(FIRST_SHARD)) parts.set(FIRST_SHARD, []);
  const reading = [...parts].map(async ([number, own]) => {
    const rows = await onShard(shards, number, (db) => readRows(db, task, own, number === FIRST_SHARD ? known : "all"));
    if (rows.generation !== null) checkPlace(shards, number, rows.place);
    return [number, rows] as const;
  });
  return new Map(await Promise.all(reading));
}

/** The number of a database whose task is not at this generation. */
const behind = (read: Read, wanted: number | null): number | undefined =>
  [...read].find(([, { generation }]) => generation !== wanted)?.[0];

function merge(read: Read, generation: number): TaskAndProfiles {
  return {
    generation,
    task: read.get(FIRST_SHARD)?.task ?? null,
    profiles: new Map([...read.values()].flatMap(({ profiles }) => [...profiles])),
  };
}

/**
 * The store over databases whose migrations are applied: one query for each that has one of the profiles, and for the first
 * one, which has the task. That one is left alone where the caller knows the task already and the others still have it so.
 *
 * Task and profiles are given together only where all databases have the same generation of the task, so that masks always
 * go with the head that they were trained with. Where they differ, as while the task is being written, all is read again.
 *
 * @param newest where to read instead when databases differ, as replicas do that lag behind; null if these are the ones
 * that have every write
 * @returns a store whose reading throws XpeftError `shards_out_of_step` or `shard_map_mismatch` too
 */
export function createShardedProfileStore(shards: Shards, newest: ProfileStore | null): ProfileStore {
  async function readAgain(task: string, ids: readonly string[], known: number | null): Promise<TaskAndProfiles> {
    await checkShardMap(shards);
    return await retryWhileOutOfStep(async () => {
      const read = await readEach(shards, task, ids, known, true);
      const first = read.get(FIRST_SHARD)?.generation ?? null;
      if (first === null) return NONE;
      const late = behind(read, first);
      return late === undefined ? merge(read, first) : outOfStepError(shards, task, first, late);
    });
  }

  return {
    async read(task, ids, known) {
      const read = await readEach(shards, task, ids, known, known === null || ids.length === 0);
      const first = read.get(FIRST_SHARD);
      const wanted = first ? first.generation : known;
      if (wanted !== null && behind(read, wanted) === undefined) return merge(read, wanted);
      if (shards.count === 1) return NONE;
      return newest ? await newest.read(task, ids, known) : await readAgain(task, ids, known);
    },
  };
}
