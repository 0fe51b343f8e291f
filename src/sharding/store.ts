import type { ProfileStore, TaskAndProfiles } from "../profiles/profile-store.ts";
import { type ReadRows, readRows } from "../storage/profile-store.ts";
import { outOfStepError, retryWhileOutOfStep } from "./generations.ts";
import { checkPlace, checkShardMap } from "./shard-map.ts";
import { FIRST_SHARD, groupByShard, onShard, type Shards } from "./shards.ts";

/** Rows of the databases that a request reads, by their numbers. */
type ShardRows = ReadonlyMap<number, ReadRows>;

const NONE: TaskAndProfiles = { generation: null, task: null, profiles: new Map() };

const sameId = (id: string) => id;

/**
 * Reads from each database that has one of the profiles, concurrently.
 *
 * @param withFirst whether to always read the first one
 */
async function readEach(
  shards: Shards,
  task: string,
  ids: readonly string[],
  known: number | null,
  withFirst: boolean,
): Promise<ShardRows> {
  const parts = groupByShard(task, ids, sameId, shards.count);
  if (withFirst && !parts.has(FIRST_SHARD)) parts.set(FIRST_SHARD, []);
  const reads = [...parts].map(async ([number, shardIds]) => {
    const rows = await onShard(shards, number, (db) =>
      readRows(db, task, shardIds, number === FIRST_SHARD ? known : "all"),
    );
    if (rows.generation !== null) checkPlace(shards, number, rows.place);
    return [number, rows] as const;
  });
  return new Map(await Promise.all(reads));
}

/** Returns the number of a database whose task is at another generation. */
const findOutOfStep = (rows: ShardRows, expected: number | null): number | undefined =>
  [...rows].find(([, { generation }]) => generation !== expected)?.[0];

function merge(rows: ShardRows, generation: number): TaskAndProfiles {
  return {
    generation,
    task: rows.get(FIRST_SHARD)?.task ?? null,
    profiles: new Map([...rows.values()].flatMap(({ profiles }) => [...profiles])),
  };
}

/**
 * Creates the store of databases whose migrations are applied. It queries each database that has one of the profiles,
 * and the first one for the task. The first one is skipped if the caller has the task and the others have the same
 * generation.
 *
 * Task and profiles are returned together only if all databases have the same generation of the task, so that masks
 * always fit the head that they were trained with. If generations differ, as during a write of the task, everything is
 * read again.
 *
 * @param newest the store to read instead if replicas differ; null if these databases are the primary ones
 * @returns a store that also throws XpeftError `shards_out_of_step` or `shard_map_mismatch`
 */
export function createShardedProfileStore(shards: Shards, newest: ProfileStore | null): ProfileStore {
  async function readAgain(task: string, ids: readonly string[], known: number | null): Promise<TaskAndProfiles> {
    await checkShardMap(shards);
    return await retryWhileOutOfStep(async () => {
      const rows = await readEach(shards, task, ids, known, true);
      const generation = rows.get(FIRST_SHARD)?.generation ?? null;
      if (generation === null) return NONE;
      const outOfStep = findOutOfStep(rows, generation);
      return outOfStep === undefined ? merge(rows, generation) : outOfStepError(shards, task, generation, outOfStep);
    });
  }

  return {
    async read(task, ids, known) {
      const rows = await readEach(shards, task, ids, known, known === null || ids.length === 0);
      const first = rows.get(FIRST_SHARD);
      const generation = first ? first.generation : known;
      if (generation !== null && findOutOfStep(rows, generation) === undefined) return merge(rows, generation);
      if (shards.count === 1) return NONE;
      return newest ? await newest.read(task, ids, known) : await readAgain(task, ids, known);
    },
  };
}
