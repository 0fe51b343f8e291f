import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bundleAssets } from "../../../functions/platform/assets.ts";
import { readLineGroups, StreamAborted } from "../../../src/lib/ndjson.ts";
import encoderKernels from "../../../src/model/kernels/encoder.wasm";
import kernels from "../../../src/model/kernels/kernels.wasm";
import { createWebRuntime } from "../../../src/model/web-runtime.ts";
import type { NewProfile } from "../../../src/profiles/profile.ts";
import { packProfileHead } from "../../../src/profiles/profile-head.ts";
import { createEngine, type Engine } from "../../../src/serving/engine.ts";
import { createFanOut, type OpenFanOut } from "../../../src/serving/fan-out.ts";
import type { FanOutPage, FanOutRequest } from "../../../src/serving/fan-out-pages.ts";
import { createRowCache } from "../../../src/serving/row-cache.ts";
import { importProfiles } from "../../../src/sharding/import.ts";
import { createShardedProfileRegistry } from "../../../src/sharding/profiles.ts";
import { createShardedProfileStore } from "../../../src/sharding/store.ts";
import { createShardedTaskRegistry } from "../../../src/sharding/tasks.ts";
import { createProfileStore } from "../../../src/storage/profile-store.ts";
import { createProfileRegistry } from "../../../src/storage/profiles.ts";
import { createPush } from "../../../src/storage/push.ts";
import { createTaskRegistry } from "../../../src/storage/tasks.ts";
import { errorWithCode } from "../../support/errors.ts";
import { masksOf, profilesFile, taskFor } from "../../support/rows.ts";
import { DATABASES, prepareShards, shardsOver } from "../../support/shards.ts";

const db = drizzle(env.DB);
const store = createProfileStore(db);
const profiles = createProfileRegistry(db);
const source = {
  stores: { nearest: store, primary: store },
  freshness: "cached",
  profiles: async () => profiles,
} as const;
const going = new AbortController().signal;

/** A little more than two pages. */
const COUNT = 1010;
const idOf = (index: number) => `p-${String(index).padStart(4, "0")}`;
const NO_MASKS = new Uint8Array();
/** Every tenth profile has masks, so that the tests are quick; the others have a label bias. */
const ROWS = Array.from(
  { length: COUNT },
  (_, index): NewProfile => ({
    id: idOf(index),
    masks: index % 10 === 0 ? masksOf(index) : NO_MASKS,
    labelBias: index % 10 === 0 ? null : Uint8Array.of(index % 128, 0, (7 * index) % 128),
  }),
);

let engine: Engine;

beforeAll(async () => {
  engine = await createEngine({
    read: bundleAssets(env.ASSETS).read,
    onnx: createWebRuntime(wasm),
    kernels,
    encoderKernels,
  });
});

const cacheOf = () => createRowCache({ maxBytes: 2 ** 20, ttlSeconds: 30 });
const requestOf = (parts: Partial<FanOutRequest> = {}): FanOutRequest => ({
  task: "demo",
  input: { text: "Nothing new today" },
  profiles: { prefix: "" },
  after: "",
  expected: undefined,
  ...parts,
});
const fanOut = (parts: Partial<FanOutRequest> = {}, from: Parameters<ReturnType<typeof createFanOut>>[1] = source) =>
  createFanOut({ engine, cache: cacheOf() })(requestOf(parts), from, going);

async function pagesOf({ pages }: Pick<OpenFanOut, "pages">): Promise<FanOutPage[]> {
  const all: FanOutPage[] = [];
  for await (const page of pages) all.push(page);
  return all;
}
const idsOf = (pages: readonly FanOutPage[]) => pages.flatMap(({ lines }) => lines.map(({ profile }) => profile));

describe("a fan-out", () => {
  beforeEach(() => createPush(db)(taskFor(engine.bundle), ROWS));

  it("reads all profiles page by page, with the counts so far, and caches none of them", async () => {
    const cache = cacheOf();
    const before = engine.caches().merged.profiles;
    const { taskGeneration, pages } = await createFanOut({ engine, cache })(requestOf(), source, going);
    const all = await pagesOf({ pages });
    expect(taskGeneration).toBeGreaterThan(0);
    expect(idsOf(all)).toEqual(ROWS.map(({ id }) => id));
    expect(all.map(({ counts }) => [counts.done, counts.profiles, counts.next])).toEqual([
      [false, 500, idOf(499)],
      [false, 1000, idOf(999)],
      [true, COUNT, null],
    ]);
    expect(Object.values(all.at(-1)?.counts.labels ?? {}).reduce((sum, count) => sum + count)).toBe(COUNT);
    expect(cache.size().profiles).toBe(0);
    // The text itself is read under the task's adapter alone.
    expect(engine.caches().merged.profiles - before).toBeLessThanOrEqual(1);
  });

  it("ends with an error if the task is written meanwhile, and starts again before its first page", async () => {
    const { pages } = await fanOut();
    await pages.next();
    await createPush(db)(taskFor(engine.bundle, { maxTokens: 30 }), ROWS);
    await expect(pagesOf({ pages })).rejects.toThrow(errorWithCode("write_conflict"));

    const cache = cacheOf();
    const { task: old } = await cache.read(source.stores, "demo", [], "cached");
    await createPush(db)(taskFor(engine.bundle, { maxTokens: 28 }), ROWS);
    const opened = await createFanOut({ engine, cache })(requestOf(), source, going);
    expect(opened.taskGeneration).toBe((old?.generation ?? 0) + 1);
    await opened.pages.return(undefined);
  });

  it("ends with an error if the task is deleted meanwhile, for a prefix and for ids", async () => {
    const ids = ROWS.slice(0, 600).map(({ id }) => id);
    const opened = [await fanOut(), await fanOut({ profiles: ids })];
    for (const { pages } of opened) await pages.next();
    await createTaskRegistry(db).delete("demo", undefined, "delete");
    for (const { pages } of opened) await expect(pagesOf({ pages })).rejects.toThrow(errorWithCode("unknown_task"));
  });

  it("is rejected if the task is at another generation than expected", async () => {
    await expect(fanOut({ expected: 99_999 })).rejects.toThrow(errorWithCode("generation_mismatch"));
  });

  it("has no line for a profile that is deleted meanwhile, and one for a profile that is added behind", async () => {
    const { pages } = await fanOut();
    const { value: first } = await pages.next();
    await profiles.delete({ task: "demo", id: idOf(700) }, undefined);
    await env.DB.exec(
      `INSERT INTO profiles SELECT task, 'p-0700-new', masks, label_bias, 1, 1 FROM profiles WHERE id = 'p-0701'`,
    );
    const ids = idsOf([first as FanOutPage, ...(await pagesOf({ pages }))]);
    expect(ids).toHaveLength(COUNT);
    expect(ids.slice(699, 702)).toEqual([idOf(699), "p-0700-new", idOf(701)]);
  });

  it("answers ids in their order, with an error for each unknown one", async () => {
    const ids = [idOf(3), "nobody", ...ROWS.slice(100, 700).map(({ id }) => id), idOf(1)];
    const all = await pagesOf(await fanOut({ profiles: ids }));
    expect(idsOf(all)).toEqual(ids);
    expect(all[0]?.lines[1]).toMatchObject({ error: { code: "unknown_profile" } });
    expect(all.at(-1)?.counts).toMatchObject({ profiles: ids.length, matched: ids.length - 1, failed: 1, next: null });
    const rest = await pagesOf(await fanOut({ profiles: ids, after: idOf(650) }));
    expect(idsOf(rest)).toEqual(ids.slice(ids.indexOf(idOf(650)) + 1));
  });

  it("reads fewer ids at once if their rows may be large", async () => {
    const labels = Array.from({ length: 1000 }, (_, index) => `label ${index}`);
    const head = new Float32Array(labels.length * (engine.bundle.manifest.hidden + 1));
    await createTaskRegistry(db).put(taskFor(engine.bundle, { name: "wide", labels, head }), undefined, "keep");
    const ids = Array.from({ length: 400 }, (_, index) => idOf(index));
    const all = await pagesOf(await fanOut({ task: "wide", profiles: ids }));
    // 4 MiB of pages, where the longest label bias has 12,229 bytes and masks have 64.
    expect(all.map(({ counts }) => [counts.profiles, counts.next])).toEqual([
      [341, idOf(340)],
      [400, null],
    ]);
  });

  it("blames the task and not each profile if the task's head is damaged", async () => {
    const { hidden } = engine.bundle.manifest;
    const head = new Float32Array(3 * (hidden + 2));
    const change = [{ scale: 1, left: new Int8Array(3), right: new Int8Array(hidden).fill(1) }];
    const labelBias = packProfileHead({ bias: [0, 0, 0], change, known: null });
    await createPush(db)(taskFor(engine.bundle, { name: "odd", head }), [{ id: "p", masks: NO_MASKS, labelBias }]);
    const [page] = await pagesOf(await fanOut({ task: "odd", profiles: ["p"] }));
    expect(page?.lines).toMatchObject([{ error: { code: "invalid_row" } }]);
  });

  it("stops when its signal is aborted, and lets the others go on", async () => {
    const run = createFanOut({ engine, cache: cacheOf() });
    const abort = new AbortController();
    const { pages } = await run(requestOf(), source, abort.signal);
    await pages.next();
    abort.abort();
    await expect(pages.next()).rejects.toThrow(StreamAborted);
    // As many as can have a turn at once are left without an end.
    for (let left = 0; left < 3; left++) await (await run(requestOf(), source, going)).pages.return(undefined);
    expect(idsOf(await pagesOf(await run(requestOf(), source, going)))).toHaveLength(COUNT);
  });

  it("gives many at once the lines of each alone, while other texts are read", async () => {
    const run = createFanOut({ engine, cache: cacheOf() });
    const texts = Array.from({ length: 6 }, (_, index) => `Text number ${index}`);
    const alone: FanOutPage[][] = [];
    for (const text of texts) alone.push(await pagesOf(await run(requestOf({ input: { text } }), source, going)));
    const together = await Promise.all(
      texts.map(async (text) => await pagesOf(await run(requestOf({ input: { text } }), source, going))),
    );
    expect(together).toEqual(alone);
  });

  it("counts the lines that top holds as memory", async () => {
    const run = createFanOut({ engine, cache: cacheOf() });
    const open: OpenFanOut[] = [];
    const flood = async () => {
      const request = requestOf({ profiles: [idOf(1)], label: "low", top: 1000 });
      for (let count = 0; count < 100; count++) open.push(await run(request, source, going));
    };
    await expect(flood()).rejects.toThrow(errorWithCode("overloaded"));
    for (const { pages } of open) await pages.return(undefined);
  });

  it("is rejected beyond the capacity, which ends free", async () => {
    const run = createFanOut({ engine, cache: cacheOf() });
    const ids = [idOf(1)];
    const open: OpenFanOut[] = [];
    const flood = async () => {
      for (let count = 0; count < 500; count++) open.push(await run(requestOf({ profiles: ids }), source, going));
    };
    await expect(flood()).rejects.toThrow(errorWithCode("overloaded"));
    expect(open.length).toBeGreaterThan(100);
    for (const { pages } of open) await pages.return(undefined);
    expect(idsOf(await pagesOf(await run(requestOf({ profiles: ids }), source, going)))).toEqual(ids);
  });
});

it("over two databases has the profiles of both, and fails if one of them is away", async () => {
  await prepareShards();
  const shards = shardsOver(DATABASES);
  await createShardedTaskRegistry(shards).put(taskFor(engine.bundle), undefined, "keep");
  const rows = ROWS.slice(0, 600);
  const lines = readLineGroups(new Blob([profilesFile("demo", rows)]).stream(), {
    maxBytes: 1e6,
    maxLines: 100,
    groupBytes: 1e6,
  });
  const imported = await importProfiles(shards, await createTaskRegistry(db).get("demo"), engine.bundle, lines, {
    dryRun: false,
    allow: () => {},
  });
  for await (const _ of imported);

  const primary = createShardedProfileStore(shards, null);
  const from = {
    stores: { nearest: primary, primary },
    freshness: "cached",
    profiles: async () => createShardedProfileRegistry(shards),
  } as const;
  const ids = rows.map(({ id }) => id);
  for (const profiles of [{ prefix: "" }, ids]) {
    expect(idsOf(await pagesOf(await fanOut({ profiles }, from)))).toEqual(ids);
    const { pages } = await fanOut({ profiles }, from);
    await pages.next();
    await env.OTHER_DB.exec("ALTER TABLE profiles RENAME TO gone");
    await expect(pagesOf({ pages })).rejects.toThrow(errorWithCode("database_unavailable"));
    await expect(fanOut({ profiles }, from)).rejects.toThrow(errorWithCode("database_unavailable"));
    await env.OTHER_DB.exec("ALTER TABLE gone RENAME TO profiles");
  }
});
