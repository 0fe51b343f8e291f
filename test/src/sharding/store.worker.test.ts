import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { createShardedProfileRegistry } from "../../../src/sharding/profiles.ts";
import { createShardedProfileStore } from "../../../src/sharding/store.ts";
import { createShardedTaskRegistry } from "../../../src/sharding/tasks.ts";
import { countQueries } from "../../support/count-queries.ts";
import { errorWithCode } from "../../support/errors.ts";
import { idsIn } from "../../support/ids.ts";
import { masksOf, taskOf } from "../../support/rows.ts";
import { DATABASES, prepareShards, shardsOver } from "../../support/shards.ts";

const shards = shardsOver(DATABASES);
const store = createShardedProfileStore(shards, null);
const tasks = createShardedTaskRegistry(shards);
const profiles = createShardedProfileRegistry(shards);
const FIRST_IDS = idsIn(0, 2);
const SECOND_IDS = idsIn(1, 2);

beforeEach(async () => {
  await prepareShards();
  await tasks.put(taskOf(), undefined, "keep");
  for (const id of [...FIRST_IDS, ...SECOND_IDS]) {
    await profiles.put({ task: "demo", id }, { masks: masksOf(1), labelBias: null }, 1, undefined);
  }
});

describe("reading", () => {
  it("returns profiles of several databases and their task with one query each", async () => {
    const counters = DATABASES.map(countQueries);
    const counting = createShardedProfileStore(shardsOver(counters.map(({ database }) => database)), null);
    const queries = () => counters.map(({ queries }) => queries());

    const all = await counting.read("demo", [...FIRST_IDS, "nobody", ...SECOND_IDS], null);
    expect(all.task).toEqual({ ...taskOf(), generation: 1 });
    expect([...all.profiles.keys()].sort()).toEqual([...FIRST_IDS, ...SECOND_IDS].sort());
    expect(queries()).toEqual([1, 1]);
  });

  it("skips the first database if the task is known and it has none of the profiles", async () => {
    const counters = DATABASES.map(countQueries);
    const counting = createShardedProfileStore(shardsOver(counters.map(({ database }) => database)), null);
    const read = await counting.read("demo", SECOND_IDS, 1);
    expect(read).toMatchObject({ generation: 1, task: null });
    expect(read.profiles.size).toBe(2);
    expect(counters.map(({ queries }) => queries())).toEqual([0, 1]);
  });

  it("returns the new task if the known one was replaced", async () => {
    await tasks.put(taskOf(), undefined, "keep");
    for (const ids of [FIRST_IDS, SECOND_IDS, [...FIRST_IDS, ...SECOND_IDS], []]) {
      expect(await store.read("demo", ids, 1)).toMatchObject({ generation: 2, task: { generation: 2 } });
    }
  });

  it("returns nothing for an unknown task", async () => {
    const nothing = { generation: null, task: null, profiles: new Map() };
    expect(await store.read("nothing", [...FIRST_IDS, ...SECOND_IDS], null)).toEqual(nothing);
    expect(await store.read("nothing", [], null)).toEqual(nothing);
  });

  it("reads from the primary store if replicas differ", async () => {
    await env.OTHER_DB.exec("UPDATE tasks SET generation = 7");
    const primary = { read: async () => ({ generation: 9, task: null, profiles: new Map() }) };
    const read = await createShardedProfileStore(shards, primary).read("demo", [...FIRST_IDS, ...SECOND_IDS], null);
    expect(read.generation).toBe(9);
  });
});

describe("inconsistent databases", () => {
  it("are reported if one has an older task, in every read that includes the first one", async () => {
    await env.DB.exec("UPDATE tasks SET generation = 2");
    for (const ids of [SECOND_IDS, [...FIRST_IDS, ...SECOND_IDS]]) {
      await expect(store.read("demo", ids, null)).rejects.toThrow(errorWithCode("shards_out_of_step"));
    }
    await expect(store.read("demo", SECOND_IDS, 2)).rejects.toThrow(errorWithCode("shards_out_of_step"));
    expect((await store.read("demo", FIRST_IDS, null)).generation).toBe(2);
  });

  it("are retried for a moment if one has an older task", async () => {
    await env.DB.exec("UPDATE tasks SET generation = 2");
    // The write reaches the other database during the first wait.
    const wait = vi.spyOn(globalThis, "setTimeout").mockImplementationOnce(((retry: () => void) => {
      void env.OTHER_DB.exec("UPDATE tasks SET generation = 2").then(retry);
    }) as typeof setTimeout);
    const read = await store.read("demo", SECOND_IDS, null).finally(() => wait.mockRestore());
    expect(read.profiles.size).toBe(2);
  });

  it("are reported if their bindings are swapped, also for an unknown task", async () => {
    const swapped = createShardedProfileStore(shardsOver([env.OTHER_DB, env.DB]), null);
    for (const task of ["demo", "nothing"]) {
      await expect(swapped.read(task, [...FIRST_IDS, ...SECOND_IDS], null)).rejects.toThrow(
        errorWithCode("shard_map_mismatch"),
      );
    }
  });

  it("are reported if only one of several is bound", async () => {
    const alone = createShardedProfileStore(shardsOver([env.DB]), null);
    await expect(alone.read("demo", SECOND_IDS, null)).rejects.toThrow(errorWithCode("shard_map_mismatch"));
  });

  it("are reported if one lacks its number", async () => {
    await env.OTHER_DB.exec("DELETE FROM profiles");
    await env.OTHER_DB.exec("DELETE FROM shard");
    await expect(store.read("demo", SECOND_IDS, null)).rejects.toThrow(errorWithCode("shard_map_mismatch"));
  });

  it("are reported by number if one is unavailable", async () => {
    await env.OTHER_DB.exec("DROP TABLE profile_history");
    await env.OTHER_DB.exec("DROP TABLE profiles");
    await expect(store.read("demo", SECOND_IDS, null)).rejects.toMatchObject({
      code: "database_unavailable",
      message: expect.stringContaining("Database 1 of 2"),
    });
    expect((await store.read("demo", FIRST_IDS, null)).profiles.size).toBe(2);
  });
});

describe("a database's number", () => {
  it("cannot be changed while there are profiles", async () => {
    for (const statement of [
      "UPDATE shard SET number = 0",
      "DELETE FROM shard",
      "INSERT INTO shard VALUES (2, 0, 3)",
    ]) {
      await expect(env.OTHER_DB.exec(statement)).rejects.toThrow();
    }
    await env.OTHER_DB.exec("DELETE FROM profiles");
    await env.OTHER_DB.exec("UPDATE shard SET count = 3");
    await expect(env.OTHER_DB.exec("UPDATE shard SET number = 3")).rejects.toThrow(/shard_in_range/);
  });
});
