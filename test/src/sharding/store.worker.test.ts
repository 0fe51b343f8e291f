import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { createShardedProfileRegistry } from "../../../src/sharding/profiles.ts";
import { createShardedProfileStore } from "../../../src/sharding/store.ts";
import { createShardedTaskRegistry } from "../../../src/sharding/tasks.ts";
import { counted } from "../../support/counted.ts";
import { named } from "../../support/errors.ts";
import { idsIn } from "../../support/ids.ts";
import { masksOf, taskOf } from "../../support/rows.ts";
import { DATABASES, prepareShards, shardsOver } from "../../support/shards.ts";

const shards = shardsOver(DATABASES);
const store = createShardedProfileStore(shards, null);
const tasks = createShardedTaskRegistry(shards);
const profiles = createShardedProfileRegistry(shards);
const HERE = idsIn(0, 2);
const THERE = idsIn(1, 2);

beforeEach(async () => {
  await prepareShards();
  await tasks.put(taskOf(), undefined, "keep");
  for (const id of [...HERE, ...THERE]) {
    await profiles.put({ task: "demo", id }, { masks: masksOf(1), labelBias: null }, 1, undefined);
  }
});

describe("reading", () => {
  it("gives profiles of several databases with their task, by one query each", async () => {
    const counters = DATABASES.map(counted);
    const one = createShardedProfileStore(shardsOver(counters.map(({ database }) => database)), null);
    const queries = () => counters.map(({ queries }) => queries());

    const all = await one.read("demo", [...HERE, "nobody", ...THERE], null);
    expect(all.task).toEqual({ ...taskOf(), generation: 1 });
    expect([...all.profiles.keys()].sort()).toEqual([...HERE, ...THERE].sort());
    expect(queries()).toEqual([1, 1]);
  });

  it("leaves the first database alone where its task is known and none of its profiles are asked for", async () => {
    const counters = DATABASES.map(counted);
    const one = createShardedProfileStore(shardsOver(counters.map(({ database }) => database)), null);
    const read = await one.read("demo", THERE, 1);
    expect(read).toMatchObject({ generation: 1, task: null });
    expect(read.profiles.size).toBe(2);
    expect(counters.map(({ queries }) => queries())).toEqual([0, 1]);
  });

  it("gives the new task where the known one was written again", async () => {
    await tasks.put(taskOf(), undefined, "keep");
    for (const ids of [HERE, THERE, [...HERE, ...THERE], []]) {
      expect(await store.read("demo", ids, 1)).toMatchObject({ generation: 2, task: { generation: 2 } });
    }
  });

  it("gives nothing for a task that is not there", async () => {
    const nothing = { generation: null, task: null, profiles: new Map() };
    expect(await store.read("nothing", [...HERE, ...THERE], null)).toEqual(nothing);
    expect(await store.read("nothing", [], null)).toEqual(nothing);
  });

  it("reads elsewhere where replicas differ", async () => {
    await env.OTHER_DB.exec("UPDATE tasks SET generation = 7");
    const newest = { read: async () => ({ generation: 9, task: null, profiles: new Map() }) };
    const read = await createShardedProfileStore(shards, newest).read("demo", [...HERE, ...THERE], null);
    expect(read.generation).toBe(9);
  });
});

describe("databases that do not go together", () => {
  it("names one that is behind, for every read that asks the first one", async () => {
    await env.DB.exec("UPDATE tasks SET generation = 2");
    for (const ids of [THERE, [...HERE, ...THERE]]) {
      await expect(store.read("demo", ids, null)).rejects.toThrow(named("shards_out_of_step"));
    }
    await expect(store.read("demo", THERE, 2)).rejects.toThrow(named("shards_out_of_step"));
    expect((await store.read("demo", HERE, null)).generation).toBe(2);
  });

  it("waits for one that is behind for a moment", async () => {
    await env.DB.exec("UPDATE tasks SET generation = 2");
    const reading = store.read("demo", THERE, null);
    await new Promise((resolve) => setTimeout(resolve, 40));
    await env.OTHER_DB.exec("UPDATE tasks SET generation = 2");
    expect((await reading).profiles.size).toBe(2);
  });

  it("names databases that are bound in each other's place, also for tasks that are not there", async () => {
    const swapped = createShardedProfileStore(shardsOver([env.OTHER_DB, env.DB]), null);
    for (const task of ["demo", "nothing"]) {
      await expect(swapped.read(task, [...HERE, ...THERE], null)).rejects.toThrow(named("shard_map_mismatch"));
    }
  });

  it("names a database of several that is bound alone", async () => {
    const alone = createShardedProfileStore(shardsOver([env.DB]), null);
    await expect(alone.read("demo", THERE, null)).rejects.toThrow(named("shard_map_mismatch"));
  });

  it("names one that does not say which it is", async () => {
    await env.OTHER_DB.exec("DELETE FROM profiles");
    await env.OTHER_DB.exec("DELETE FROM shard");
    await expect(store.read("demo", THERE, null)).rejects.toThrow(named("shard_map_mismatch"));
  });

  it("names one that is away, by its number", async () => {
    await env.OTHER_DB.exec("DROP TABLE profile_history");
    await env.OTHER_DB.exec("DROP TABLE profiles");
    await expect(store.read("demo", THERE, null)).rejects.toMatchObject({
      code: "database_unavailable",
      message: expect.stringContaining("Database 1 of 2"),
    });
    expect((await store.read("demo", HERE, null)).profiles.size).toBe(2);
  });
});

describe("a database's place", () => {
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
