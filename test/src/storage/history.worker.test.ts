import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { beforeEach, describe, expect, it } from "vitest";
import { createProfileHistory } from "../../../src/storage/history.ts";
import { createProfileRegistry } from "../../../src/storage/profiles.ts";
import { createTaskRegistry } from "../../../src/storage/tasks.ts";
import { errorWithCode } from "../../support/errors.ts";
import { masksOf, taskOf } from "../../support/rows.ts";

const db = drizzle(env.DB);
const profiles = createProfileRegistry(db);
const history = createProfileHistory(db);
const NAME = { task: "demo", id: "anna" };
const UNKNOWN = { task: "nothing", id: "anna" };
const parts = (seed: number, labelBias: Uint8Array | null = null) => ({ masks: masksOf(seed), labelBias });

beforeEach(() => createTaskRegistry(db).put(taskOf(), undefined, "keep"));

describe("history", () => {
  it("has the last five generations, the latest first", async () => {
    for (let seed = 1; seed <= 8; seed++) await profiles.put(NAME, parts(seed), 1, undefined);
    const { current, earlier } = await history.read(NAME);
    expect(current).toMatchObject({ ...parts(8), generation: 8 });
    expect(earlier.map(({ generation }) => generation)).toEqual([7, 6, 5, 4, 3]);
    expect(earlier[4]).toMatchObject(parts(3));
  });

  it("rolls back by writing the earlier parts as a new generation", async () => {
    const labelBias = Uint8Array.of(7, 8, 9);
    await profiles.put(NAME, parts(1, labelBias), 1, undefined);
    await profiles.put(NAME, parts(2), 1, undefined);
    expect(await history.rollBack(NAME, 1, 2)).toBe(3);
    expect(await profiles.get(NAME)).toMatchObject({ ...parts(1, labelBias), generation: 3 });
    expect(await history.rollBack(NAME, 2, undefined)).toBe(4);
    expect(await profiles.get(NAME)).toMatchObject({ ...parts(2), generation: 4 });
  });

  it("reports what it cannot roll back to", async () => {
    await expect(history.rollBack(NAME, 1, undefined)).rejects.toThrow(errorWithCode("unknown_profile"));
    await expect(history.rollBack(UNKNOWN, 1, undefined)).rejects.toThrow(errorWithCode("unknown_task"));
    await profiles.put(NAME, parts(1), 1, undefined);
    await expect(history.rollBack(NAME, 1, undefined)).rejects.toThrow(errorWithCode("unknown_generation"));
    await profiles.put(NAME, parts(2), 1, undefined);
    await expect(history.rollBack(NAME, 1, 1)).rejects.toThrow(errorWithCode("generation_mismatch"));
    await expect(history.rollBack(NAME, 9, undefined)).rejects.toThrow(errorWithCode("unknown_generation"));
  });

  it("names a profile as it was written", async () => {
    const name = { ...NAME, id: "Anna" };
    await profiles.put(name, parts(1), 1, undefined);
    const rollBack = history.rollBack(name, 9, undefined);
    await expect(rollBack).rejects.toThrow('Profile "Anna" has no generation 9 in its history.');
  });
});
