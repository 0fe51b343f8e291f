import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { beforeEach, describe, expect, it } from "vitest";
import { bundleAssets } from "../../../functions/platform/assets.ts";
import { readManifest } from "../../../src/bundle/files.ts";
import type { LearnResult } from "../../../src/learn/learn.ts";
import type { LearnRequest } from "../../../src/learn/learner.ts";
import { profileTaskOf } from "../../../src/profiles/profile-task.ts";
import type { Engine } from "../../../src/serving/engine.ts";
import { type LearnProfileRequest, learnProfile } from "../../../src/serving/learn-profile.ts";
import { createProfileRegistry } from "../../../src/storage/profiles.ts";
import { createPush } from "../../../src/storage/push.ts";
import { errorWithCode } from "../../support/errors.ts";
import { masksOf, profilesOf, taskFor } from "../../support/rows.ts";
import { shardsOver } from "../../support/shards.ts";

// learn.test.ts tests the result of learning. Here are its starts, and what is written.

const bundle = await readManifest(bundleAssets(env.ASSETS).read);
const task = taskFor(bundle, { masks: masksOf(9) });
const push = createPush(drizzle(env.DB));
const profiles = createProfileRegistry(drizzle(env.DB));
const name = (id: string) => ({ task: "demo", id });

const { headHash } = await profileTaskOf(task);

const LEARNT: LearnResult = {
  parts: { masks: masksOf(50), labelBias: Uint8Array.of(1, 2, 3) },
  pool: { firstLayer: 5, size: 256, chosen: 128 },
  start: null,
  kept: "masks",
  passes: 5,
  leftOut: {
    texts: 2,
    start: { loss: 1, accuracy: 0 },
    learnt: { loss: 0.5, accuracy: 1 },
    trusted: true,
    gained: true,
  },
};

const NO_GAIN: LearnResult = { ...LEARNT, leftOut: { ...LEARNT.leftOut, trusted: false, gained: false } };

const EXAMPLES = [
  { input: { text: "a" }, label: task.labels[0] ?? "" },
  { input: { text: "b" }, label: task.labels[1] ?? "" },
];

beforeEach(async () => {
  await push(task, profilesOf(3));
});

/** Learns with a stub engine that always returns the same result, after `meanwhile` has run. */
async function learn(
  options: Partial<LearnProfileRequest> = {},
  meanwhile: () => unknown = () => {},
  signal?: AbortSignal,
  result = LEARNT,
) {
  const requests: LearnRequest[] = [];
  const engine = {
    async learn(_: unknown, request: LearnRequest) {
      requests.push(request);
      await meanwhile();
      return result;
    },
  } as unknown as Engine;
  const hooks = { onProgress: async () => {}, signal: signal ?? new AbortController().signal, budgetSeconds: 1 };
  const base = { task: "demo", profile: "demo-001", examples: EXAMPLES, start: "default", prefix: "" };
  const request = { ...base, dryRun: false, force: false, expected: undefined, ...options } as LearnProfileRequest;
  const outcome = await learnProfile({ engine, shards: shardsOver([env.DB]) }, request, hooks);
  return { outcome, starts: requests[0]?.starts ?? [], request: requests[0] };
}

const startsOf = async (options: Partial<LearnProfileRequest>) =>
  (await learn({ dryRun: true, ...options })).starts.map(({ profile }) => profile);

describe("a learned profile", () => {
  it("replaces the stored profile, or is created", async () => {
    const { outcome, request } = await learn({ passes: 7, seed: 3 });
    expect(outcome).toEqual({ ...LEARNT, headHash, generation: 2, created: false, notWritten: null });
    expect(request).toMatchObject({ examples: EXAMPLES, passes: 7, seed: 3 });
    expect(await profiles.get(name("demo-001"))).toMatchObject({ ...LEARNT.parts, generation: 2 });
    const created = { ...LEARNT, headHash, generation: 1, created: true, notWritten: null };
    expect((await learn({ profile: "new" })).outcome).toEqual(created);
    expect(await profiles.get(name("new"))).toMatchObject({ ...LEARNT.parts, generation: 1 });
  });

  it("is not written on a dry run", async () => {
    const { outcome } = await learn({ dryRun: true, profile: "new" });
    expect(outcome).toEqual({ ...LEARNT, headHash, generation: null, created: false, notWritten: "dry-run" });
    await expect(profiles.get(name("new"))).rejects.toThrow(errorWithCode("unknown_profile"));
  });

  it('without a gain does not replace the stored profile from the start "auto", unless it is forced', async () => {
    const learnNothing = async (options: Partial<LearnProfileRequest>) =>
      (await learn({ start: "auto", ...options }, undefined, undefined, NO_GAIN)).outcome;
    const before = await profiles.get(name("demo-001"));
    const left = { ...NO_GAIN, headHash, generation: null, created: false, notWritten: "no-gain" };
    expect(await learnNothing({})).toEqual(left);
    expect(await learnNothing({ expected: 1 })).toEqual(left);
    expect(await learnNothing({ dryRun: true })).toEqual(left);
    expect(await profiles.get(name("demo-001"))).toEqual(before);
    expect(await learnNothing({ dryRun: true, force: true })).toMatchObject({ notWritten: "dry-run" });
    expect(await learnNothing({ force: true })).toMatchObject({ generation: 2, notWritten: null });
    expect((await learn({ start: "auto" })).outcome).toMatchObject({ generation: 3, notWritten: null });
  });

  it.each(["default", "own", { profile: "demo-002" }] as const)(
    "without a gain replaces the stored profile from the start %j, which the caller chose",
    async (start) => {
      const { outcome } = await learn({ start }, undefined, undefined, NO_GAIN);
      expect(outcome).toMatchObject({ generation: 2, notWritten: null });
    },
  );

  it("without a gain is created, because the caller wants a profile", async () => {
    const { outcome } = await learn({ start: "auto", profile: "new" }, undefined, undefined, NO_GAIN);
    expect(outcome).toMatchObject({ generation: 1, created: true, notWritten: null });
  });

  it("is neither learned nor written if the row is at another generation than expected", async () => {
    const unreachable = () => expect.unreachable("nothing is learned");
    await expect(learn({ expected: 2 }, unreachable)).rejects.toThrow(errorWithCode("generation_mismatch"));
    await expect(learn({ expected: 0 }, unreachable)).rejects.toThrow('Profile "demo-001" is at generation 1');
    await expect(learn({ profile: "new", expected: "any" }, unreachable)).rejects.toThrow(
      errorWithCode("generation_mismatch"),
    );
    expect((await learn({ expected: 1 })).outcome.generation).toBe(2);
    expect((await learn({ profile: "new", expected: 0 })).outcome.generation).toBe(1);
  });

  it("does not overwrite a concurrent write", async () => {
    const write = () => profiles.put(name("demo-001"), { masks: masksOf(7), labelBias: null }, 1, undefined);
    await expect(learn({}, write)).rejects.toThrow(errorWithCode("generation_mismatch"));
    expect((await profiles.get(name("demo-001"))).masks).toEqual(masksOf(7));
    const make = () => profiles.put(name("new"), { masks: masksOf(7), labelBias: null }, 1, undefined);
    await expect(learn({ profile: "new" }, make)).rejects.toThrow(errorWithCode("generation_mismatch"));
    const others = [...profilesOf(3), { id: "new", masks: masksOf(7), labelBias: null }];
    const pushed = () => push({ ...task, head: task.head.map((value) => value + 1) }, others);
    await expect(learn({ profile: "newer" }, pushed)).rejects.toThrow(errorWithCode("write_conflict"));
  });

  it("is not written after its caller disconnects", async () => {
    const controller = new AbortController();
    const reason = new Error("disconnected");
    const leaving = learn({}, () => controller.abort(reason), controller.signal);
    await expect(leaving).rejects.toBe(reason);
    expect((await profiles.get(name("demo-001"))).generation).toBe(1);
  });

  it("of an unknown task is reported", async () => {
    await expect(learn({ task: "nothing" })).rejects.toThrow(errorWithCode("unknown_task"));
  });
});

describe("a learning run's start", () => {
  it("is the requested profile's parts", async () => {
    const [learned, other] = profilesOf(3).slice(1);
    const standard = { profile: null, parts: { masks: task.masks, labelBias: null } };
    const partsOf = ({ masks, labelBias }: { masks: Uint8Array; labelBias: Uint8Array | null }) => ({
      masks,
      labelBias,
    });
    expect((await learn({ dryRun: true })).starts).toEqual([standard]);
    expect((await learn({ dryRun: true, start: "own" })).starts).toEqual([
      { profile: "demo-001", parts: learned && partsOf(learned) },
    ]);
    expect((await learn({ dryRun: true, start: { profile: "demo-002" } })).starts).toEqual([
      { profile: "demo-002", parts: other && partsOf(other) },
    ]);
    expect((await learn({ dryRun: true, start: "auto" })).starts[0]).toEqual(standard);
  });

  it("is reported if it does not exist", async () => {
    await expect(learn({ start: { profile: "nobody" } })).rejects.toThrow('"nobody"');
    await expect(learn({ start: "own", profile: "new" })).rejects.toThrow(errorWithCode("unknown_profile"));
  });

  it('of "auto" is the default or one of the next 64 profiles, never itself', async () => {
    expect(new Set(await startsOf({ start: "auto" }))).toEqual(new Set([null, "demo-000", "demo-002"]));
    await push(
      task,
      Array.from({ length: 100 }, (_, number) => ({
        id: `p${String(number).padStart(2, "0")}`,
        masks: masksOf(number % 5),
        labelBias: null,
      })),
    );
    const numbersOf = (ids: readonly (string | null)[]) => ids.slice(1).map((id) => Number(id?.slice(1)));
    const drawn = await startsOf({ start: "auto", profile: "p10", prefix: "p" });
    expect(numbersOf(drawn).sort((a, b) => a - b)).toEqual(Array.from({ length: 64 }, (_, place) => 11 + place));
    expect(await startsOf({ start: "auto", profile: "p10", prefix: "p" })).toEqual(drawn);
    expect(await startsOf({ start: "auto", profile: "p10", prefix: "p", seed: 1 })).not.toEqual(drawn);
    // After the last profile it wraps to the first.
    const wrapped = numbersOf(await startsOf({ start: "auto", profile: "p90", prefix: "p" }));
    expect(new Set(wrapped).size).toBe(64);
    expect(wrapped.every((number) => number > 90 || number < 55)).toBe(true);
    expect(await startsOf({ start: "auto", profile: "p10", prefix: "demo-" })).toEqual(
      expect.arrayContaining([null, "demo-000", "demo-001", "demo-002"]),
    );
  });
});
