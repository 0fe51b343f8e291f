import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { XpeftError } from "../../../src/errors.ts";
import { createShardedProfileRegistry } from "../../../src/sharding/profiles.ts";
import { createShardedProfileStore } from "../../../src/sharding/store.ts";
import { createShardedTaskRegistry } from "../../../src/sharding/tasks.ts";
import { named } from "../../support/errors.ts";
import { idsIn } from "../../support/ids.ts";
import { masksOf, taskOf } from "../../support/rows.ts";
import { DATABASES, prepareShards, shardsOver } from "../../support/shards.ts";

const shards = shardsOver(DATABASES);
const store = createShardedProfileStore(shards, null);
const tasks = createShardedTaskRegistry(shards);
const profiles = createShardedProfileRegistry(shards);
const [here = ""] = idsIn(0, 1);
const [there = ""] = idsIn(1, 1);

const putProfile = (id: string, generation: number, seed = 1) =>
  profiles.put({ task: "demo", id }, { masks: masksOf(seed), labelBias: null }, generation, undefined);

/** A task whose head tells which masks go with it. */
function taskWith(seed: number) {
  const task = taskOf();
  return { ...task, head: task.head.with(0, seed) };
}

const rowsIn = async (database: D1Database, table: string) =>
  (await database.prepare(`SELECT * FROM ${table}`).all()).results.length;

/** Has the second database refuse writes of tasks, as one does that is away in the middle of a request. */
const breakWrites = (on: "INSERT" | "DELETE") =>
  env.OTHER_DB.exec(`CREATE TRIGGER away BEFORE ${on} ON tasks BEGIN SELECT RAISE(ABORT, 'away'); END`);
const mendWrites = () => env.OTHER_DB.exec("DROP TRIGGER away");

beforeEach(prepareShards);

describe("writing a task", () => {
  it("has it in every database, at one generation", async () => {
    expect(await tasks.put(taskOf(), 0, "keep")).toEqual({ generation: 1, created: true });
    expect(await tasks.put(taskOf(), 1, "keep")).toEqual({ generation: 2, created: false });
    const rows = await Promise.all(DATABASES.map((one) => one.prepare("SELECT * FROM tasks").all()));
    expect(rows[0]?.results).toMatchObject([{ name: "demo", generation: 2 }]);
    expect(rows[1]?.results.map(({ updated_at: _, ...rest }) => rest)).toEqual(
      rows[0]?.results.map(({ updated_at: _, ...rest }) => rest),
    );
  });

  it("writes nothing anywhere where the generation is another", async () => {
    await tasks.put(taskOf(), undefined, "keep");
    await expect(tasks.put(taskWith(5), 9, "keep")).rejects.toThrow(named("generation_mismatch"));
    expect((await store.read("demo", [there], null)).task?.head).toEqual(taskOf().head);
  });

  it.each([here, there])("is refused where profile %s would be left with another head", async (id) => {
    await tasks.put(taskOf(), undefined, "keep");
    await putProfile(id, 1);
    await expect(tasks.put(taskWith(5), undefined, "keep")).rejects.toThrow(named("task_has_profiles"));
    await expect(tasks.put(taskWith(5), 9, "keep")).rejects.toThrow(named("generation_mismatch"));
    expect(await tasks.put({ ...taskOf(), maxTokens: 16 }, 1, "keep")).toEqual({ generation: 2, created: false });
    expect((await store.read("demo", [id], null)).profiles.size).toBe(1);
    expect(await tasks.put(taskWith(5), 2, "delete")).toEqual({ generation: 3, created: false });
    expect((await store.read("demo", [id], null)).profiles.size).toBe(0);
  });

  it("that reaches one database only is named, never answered with, and mended by sending it again", async () => {
    await tasks.put(taskOf(), undefined, "keep");
    await putProfile(there, 1);
    await breakWrites("INSERT");
    await expect(tasks.put(taskWith(5), 1, "delete")).rejects.toMatchObject({
      code: "shards_out_of_step",
      facts: { generation: 2 },
    });
    await expect(store.read("demo", [there], null)).rejects.toThrow(named("shards_out_of_step"));
    await expect(store.read("demo", [here, there], null)).rejects.toThrow(named("shards_out_of_step"));
    await expect(putProfile(there, 2, 5)).rejects.toThrow(named("shards_out_of_step"));
    await expect(profiles.list("demo", { limit: 10, after: "" }, "")).rejects.toThrow(named("shards_out_of_step"));
    await mendWrites();
    await expect(tasks.put(taskWith(5), 2, "keep")).rejects.toThrow(named("task_has_profiles"));
    expect(await tasks.put(taskWith(5), 2, "delete")).toEqual({ generation: 3, created: false });
    const read = await store.read("demo", [here, there], null);
    expect(read).toMatchObject({ generation: 3 });
    expect(read.profiles.size).toBe(0);
  });

  it("does not take a later write back", async () => {
    await tasks.put(taskOf(), undefined, "keep");
    await Promise.all(Array.from({ length: 8 }, (_, seed) => tasks.put(taskWith(seed), undefined, "keep")));
    const stored = await Promise.all(
      DATABASES.map((one) => one.prepare("SELECT generation, hex(head) AS head FROM tasks").first()),
    );
    expect(stored[0]).toMatchObject({ generation: 9 });
    expect(stored[1]).toEqual(stored[0]);
  });
});

describe("deleting a task", () => {
  it("is refused where any database has profiles, and takes them all where it is told to", async () => {
    await tasks.put(taskOf(), undefined, "keep");
    await putProfile(there, 1);
    await expect(tasks.delete("demo", undefined, "keep")).rejects.toThrow(named("task_has_profiles"));
    expect(await tasks.delete("demo", 1, "delete")).toBe(2);
    for (const one of DATABASES) {
      expect(await rowsIn(one, "tasks")).toBe(0);
      expect(await rowsIn(one, "profiles")).toBe(0);
    }
    await expect(profiles.get({ task: "demo", id: there })).rejects.toThrow(named("unknown_task"));
    expect(await tasks.put(taskOf(), undefined, "keep")).toEqual({ generation: 3, created: true });
    expect(await putProfile(there, 3)).toEqual({ generation: 3, created: true });
  });

  it("that reaches one database only leaves nothing that can be read, and is ended by sending it again", async () => {
    await tasks.put(taskOf(), undefined, "keep");
    await putProfile(there, 1);
    await breakWrites("DELETE");
    await expect(tasks.delete("demo", undefined, "delete")).rejects.toThrow(named("shards_out_of_step"));
    expect(await store.read("demo", [there], null)).toMatchObject({ generation: null });
    await expect(profiles.get({ task: "demo", id: there })).rejects.toThrow(named("unknown_task"));
    await mendWrites();
    await expect(tasks.delete("demo", undefined, "delete")).rejects.toThrow(named("unknown_task"));
    expect(await rowsIn(env.OTHER_DB, "tasks")).toBe(0);
    expect(await rowsIn(env.OTHER_DB, "profiles")).toBe(0);
  });

  it("of a task that never was says so", async () => {
    await expect(tasks.delete("nothing", undefined, "delete")).rejects.toThrow(named("unknown_task"));
  });
});

describe("writes and reads that meet", () => {
  it("never give masks with another head than they were written for", async () => {
    const ids = [...idsIn(0, 2), ...idsIn(1, 2)];
    await tasks.put(taskWith(1), undefined, "keep");
    const met = { written: 0, read: 0 };

    async function unlessRefused(work: () => Promise<void>): Promise<void> {
      try {
        await work();
      } catch (error) {
        if (!(error instanceof XpeftError)) throw error;
        expect(["shards_out_of_step", "write_conflict"]).toContain(error.code);
      }
    }
    async function writeTasks(): Promise<void> {
      for (let seed = 2; seed <= 6; seed++) await tasks.put(taskWith(seed), undefined, "delete");
    }
    async function writeProfiles(id: string): Promise<void> {
      for (let time = 0; time < 10; time++) {
        await unlessRefused(async () => {
          const { head, generation } = await tasks.get("demo");
          await putProfile(id, generation, head[0]);
          met.written++;
        });
      }
    }
    async function read(): Promise<void> {
      for (let time = 0; time < 20; time++) {
        await unlessRefused(async () => {
          const { task, profiles } = await store.read("demo", ids, null);
          for (const { masks } of profiles.values()) {
            expect(masks).toEqual(masksOf(task?.head[0] ?? 0));
            met.read++;
          }
        });
      }
    }
    await Promise.all([writeTasks(), ...ids.map(writeProfiles), read(), read()]);
    expect(met.written).toBeGreaterThan(0);
    expect(met.read).toBeGreaterThan(0);
  });
});
