import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { XpeftError } from "../../../src/errors.ts";
import { createShardedProfileRegistry } from "../../../src/sharding/profiles.ts";
import { createShardedProfileStore } from "../../../src/sharding/store.ts";
import { createShardedTaskRegistry } from "../../../src/sharding/tasks.ts";
import { errorWithCode } from "../../support/errors.ts";
import { idsIn } from "../../support/ids.ts";
import { adapterOf, masksOf, taskOf } from "../../support/rows.ts";
import { DATABASES, prepareShards, shardsOver } from "../../support/shards.ts";

const shards = shardsOver(DATABASES);
const store = createShardedProfileStore(shards, null);
const tasks = createShardedTaskRegistry(shards);
const profiles = createShardedProfileRegistry(shards);
const [firstId = ""] = idsIn(0, 1);
const [secondId = ""] = idsIn(1, 1);

const putProfile = (id: string, generation: number, seed = 1) =>
  profiles.put({ task: "demo", id }, { masks: masksOf(seed), labelBias: null }, generation, undefined);

/** Returns a task whose head encodes the seed of its profiles' masks. */
function taskWith(seed: number) {
  const task = taskOf();
  return { ...task, head: task.head.with(0, seed) };
}

const rowsIn = async (database: D1Database, table: string) =>
  (await database.prepare(`SELECT * FROM ${table}`).all()).results.length;

/** Makes the second database reject writes of tasks, as if it became unavailable during a request. */
const breakWrites = (on: "INSERT" | "DELETE") =>
  env.OTHER_DB.exec(`CREATE TRIGGER unavailable BEFORE ${on} ON tasks BEGIN SELECT RAISE(ABORT, 'unavailable'); END`);
const repairWrites = () => env.OTHER_DB.exec("DROP TRIGGER unavailable");

beforeEach(prepareShards);

describe("writing a task", () => {
  it("writes it to every database at the same generation", async () => {
    expect(await tasks.put(taskOf(), 0, "keep")).toEqual({ generation: 1, created: true });
    expect(await tasks.put(taskOf(), 1, "keep")).toEqual({ generation: 2, created: false });
    const rows = await Promise.all(DATABASES.map((database) => database.prepare("SELECT * FROM tasks").all()));
    expect(rows[0]?.results).toMatchObject([{ name: "demo", generation: 2 }]);
    expect(rows[1]?.results.map(({ updated_at: _, ...rest }) => rest)).toEqual(
      rows[0]?.results.map(({ updated_at: _, ...rest }) => rest),
    );
  });

  it("writes nothing if the generation differs", async () => {
    await tasks.put(taskOf(), undefined, "keep");
    await expect(tasks.put(taskWith(5), 9, "keep")).rejects.toThrow(errorWithCode("generation_mismatch"));
    expect((await store.read("demo", [secondId], null)).task?.head).toEqual(taskOf().head);
  });

  it.each([firstId, secondId])("is rejected if profile %s would keep masks of another head", async (id) => {
    await tasks.put(taskOf(), undefined, "keep");
    await putProfile(id, 1);
    await expect(tasks.put(taskWith(5), undefined, "keep")).rejects.toThrow(errorWithCode("task_has_profiles"));
    await expect(tasks.put(taskWith(5), 9, "keep")).rejects.toThrow(errorWithCode("generation_mismatch"));
    expect(await tasks.put({ ...taskOf(), maxTokens: 16 }, 1, "keep")).toEqual({ generation: 2, created: false });
    expect((await store.read("demo", [id], null)).profiles.size).toBe(1);
    expect(await tasks.put(taskWith(5), 2, "delete")).toEqual({ generation: 3, created: false });
    expect((await store.read("demo", [id], null)).profiles.size).toBe(0);
  });

  it("copies its adapter, and treats another one like another head", async () => {
    const adapted = { ...taskOf(), adapter: adapterOf(1) };
    await tasks.put(adapted, undefined, "keep");
    const rows = await Promise.all(DATABASES.map((database) => database.prepare("SELECT adapter FROM tasks").first()));
    expect(rows[0]?.adapter).toHaveLength(adapterOf(1).length);
    expect(rows[1]).toEqual(rows[0]);
    await putProfile(secondId, 1);
    const changed = { ...taskOf(), adapter: adapterOf(2) };
    await expect(tasks.put(changed, undefined, "keep")).rejects.toThrow(errorWithCode("task_has_profiles"));
    expect(await tasks.put(changed, 1, "delete")).toEqual({ generation: 2, created: false });
    expect((await store.read("demo", [secondId], null)).task?.adapter).toEqual(adapterOf(2));
  });

  it("that fails in one database is reported, never served, and repaired by a retry", async () => {
    await tasks.put(taskOf(), undefined, "keep");
    await putProfile(secondId, 1);
    await breakWrites("INSERT");
    await expect(tasks.put(taskWith(5), 1, "delete")).rejects.toMatchObject({
      code: "shards_out_of_step",
      facts: { generation: 2 },
    });
    await expect(store.read("demo", [secondId], null)).rejects.toThrow(errorWithCode("shards_out_of_step"));
    await expect(store.read("demo", [firstId, secondId], null)).rejects.toThrow(errorWithCode("shards_out_of_step"));
    await expect(putProfile(secondId, 2, 5)).rejects.toThrow(errorWithCode("shards_out_of_step"));
    await expect(profiles.list("demo", { limit: 10, after: "" }, "")).rejects.toThrow(
      errorWithCode("shards_out_of_step"),
    );
    await repairWrites();
    await expect(tasks.put(taskWith(5), 2, "keep")).rejects.toThrow(errorWithCode("task_has_profiles"));
    expect(await tasks.put(taskWith(5), 2, "delete")).toEqual({ generation: 3, created: false });
    const read = await store.read("demo", [firstId, secondId], null);
    expect(read).toMatchObject({ generation: 3 });
    expect(read.profiles.size).toBe(0);
  });

  it("never undoes a later write", async () => {
    await tasks.put(taskOf(), undefined, "keep");
    await Promise.all(Array.from({ length: 8 }, (_, seed) => tasks.put(taskWith(seed), undefined, "keep")));
    const stored = await Promise.all(
      DATABASES.map((database) => database.prepare("SELECT generation, hex(head) AS head FROM tasks").first()),
    );
    expect(stored[0]).toMatchObject({ generation: 9 });
    expect(stored[1]).toEqual(stored[0]);
  });
});

describe("deleting a task", () => {
  it("is rejected while any database has profiles, and deletes them all on request", async () => {
    await tasks.put(taskOf(), undefined, "keep");
    await putProfile(secondId, 1);
    await expect(tasks.delete("demo", undefined, "keep")).rejects.toThrow(errorWithCode("task_has_profiles"));
    expect(await tasks.delete("demo", 1, "delete")).toBe(2);
    for (const database of DATABASES) {
      expect(await rowsIn(database, "tasks")).toBe(0);
      expect(await rowsIn(database, "profiles")).toBe(0);
    }
    await expect(profiles.get({ task: "demo", id: secondId })).rejects.toThrow(errorWithCode("unknown_task"));
    expect(await tasks.put(taskOf(), undefined, "keep")).toEqual({ generation: 3, created: true });
    expect(await putProfile(secondId, 3)).toEqual({ generation: 3, created: true });
  });

  it("that fails in one database leaves nothing readable, and is completed by a retry", async () => {
    await tasks.put(taskOf(), undefined, "keep");
    await putProfile(secondId, 1);
    await breakWrites("DELETE");
    await expect(tasks.delete("demo", undefined, "delete")).rejects.toThrow(errorWithCode("shards_out_of_step"));
    expect(await store.read("demo", [secondId], null)).toMatchObject({ generation: null });
    await expect(profiles.get({ task: "demo", id: secondId })).rejects.toThrow(errorWithCode("unknown_task"));
    await repairWrites();
    await expect(tasks.delete("demo", undefined, "delete")).rejects.toThrow(errorWithCode("unknown_task"));
    expect(await rowsIn(env.OTHER_DB, "tasks")).toBe(0);
    expect(await rowsIn(env.OTHER_DB, "profiles")).toBe(0);
  });

  it("of an unknown task is reported", async () => {
    await expect(tasks.delete("nothing", undefined, "delete")).rejects.toThrow(errorWithCode("unknown_task"));
  });
});

describe("concurrent writes and reads", () => {
  it("never return masks with another head than they were written for", async () => {
    const ids = [...idsIn(0, 2), ...idsIn(1, 2)];
    await tasks.put(taskWith(1), undefined, "keep");
    const counts = { written: 0, read: 0 };

    async function unlessConflict(work: () => Promise<void>): Promise<void> {
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
        await unlessConflict(async () => {
          const { head, generation } = await tasks.get("demo");
          await putProfile(id, generation, head[0]);
          counts.written++;
        });
      }
    }
    async function read(): Promise<void> {
      for (let time = 0; time < 20; time++) {
        await unlessConflict(async () => {
          const { task, profiles } = await store.read("demo", ids, null);
          for (const { masks } of profiles.values()) {
            expect(masks).toEqual(masksOf(task?.head[0] ?? 0));
            counts.read++;
          }
        });
      }
    }
    await Promise.all([writeTasks(), ...ids.map(writeProfiles), read(), read()]);
    expect(counts.written).toBeGreaterThan(0);
    expect(counts.read).toBeGreaterThan(0);
  });
});
