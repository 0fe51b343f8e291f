import type { Manifest } from "../../src/bundle/manifest.ts";
import { bytesFromFloats } from "../../src/lib/floats.ts";
import { type MaskShape, packMasks } from "../../src/profiles/masks.ts";
import type { NewProfile } from "../../src/profiles/profile.ts";
import { profileTaskOf } from "../../src/profiles/profile-task.ts";
import type { NewTask } from "../../src/profiles/task.ts";
import type { TaskPool } from "../../src/profiles/task-pool.ts";
import type { EngineInput } from "../../src/serving/label-texts.ts";
import type { TextInput } from "../../src/text/tokenizer.ts";

/** The shape of the default bundle's masks. */
export const DEFAULT_SHAPE: MaskShape = { firstLayer: 5, layers: 1, size: 256, chosen: 128 };

/** Yields pseudorandom numbers from 0 to 1, the same for the same seed. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed + 1; ; ) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    yield ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  }
}

/** Returns pseudorandom masks, the same for the same seed. */
export function masksOf(seed: number, shape: MaskShape = DEFAULT_SHAPE): Uint8Array {
  const random = numbers(seed);
  const chosen = Array.from({ length: 2 * shape.layers }, () => {
    const drawn = Array.from({ length: shape.size }, (_, adapter) => ({ adapter, by: random.next().value }));
    return drawn
      .sort((a, b) => a.by - b.by)
      .slice(0, shape.chosen)
      .map(({ adapter }) => adapter);
  });
  return packMasks(chosen.flat(), shape);
}

/** Returns the bytes of a task adapter. @param scales `[L, 2]` flat @param steps `[L, 2, d·b]` flat */
export function packAdapter(scales: Float32Array, steps: Int8Array): Uint8Array {
  const bytes = new Uint8Array(scales.byteLength + steps.length);
  bytes.set(bytesFromFloats(scales));
  bytes.set(new Uint8Array(steps.buffer, steps.byteOffset, steps.length), scales.byteLength);
  return bytes;
}

/** Returns a task adapter's bytes with those of a pool of its own after them. */
export function packPooled(adapter: Uint8Array, { size, chosen, scales, steps }: TaskPool): Uint8Array {
  const header = new Uint8Array(4);
  new DataView(header.buffer).setUint16(0, size, true);
  new DataView(header.buffer).setUint16(2, chosen, true);
  return new Uint8Array([...adapter, ...header, ...packAdapter(scales, steps)]);
}

/** Returns a pseudorandom task adapter for the default bundle, strong enough to change answers. */
export function adapterOf(seed: number): Uint8Array {
  const random = numbers(seed);
  const matrices = 2 * (DEFAULT_SHAPE.firstLayer + DEFAULT_SHAPE.layers);
  const scales = Float32Array.from({ length: matrices }, () => 0.001 * random.next().value);
  const steps = Int8Array.from({ length: matrices * 384 * 16 }, () => Math.floor(256 * random.next().value) - 128);
  return packAdapter(scales, steps);
}

/** The shape of masks that choose from a pool of {@link pooledAdapterOf}. */
export const POOLED_SHAPE: MaskShape = { ...DEFAULT_SHAPE, size: 32, chosen: 16 };

/** Returns {@link adapterOf}'s adapter, with a pseudorandom pool that is strong enough to change answers. */
export function pooledAdapterOf(seed: number): Uint8Array {
  const random = numbers(seed);
  const { layers, size, chosen } = POOLED_SHAPE;
  const scales = Float32Array.from({ length: 2 * layers * size }, () => 0.0005 + 0.002 * random.next().value);
  const steps = Int8Array.from({ length: scales.length * 384 * 16 }, () => Math.floor(256 * random.next().value) - 128);
  return packPooled(adapterOf(seed), { size, chosen, scales, steps });
}

/** Returns a task with a pseudorandom head. */
export function taskOf(parts: Partial<NewTask> & { hidden?: number } = {}): NewTask {
  const { hidden = 384, ...task } = parts;
  const labels = task.labels ?? ["low", "middle", "high"];
  const random = numbers(1000);
  return {
    name: "demo",
    bundle: "0".repeat(32),
    maxTokens: 32,
    head: Float32Array.from({ length: labels.length * (hidden + 1) }, () => random.next().value - 0.5),
    masks: masksOf(0),
    adapter: null,
    ...task,
    labels,
  };
}

/** Returns profiles `demo-000` and on, each with different masks and no label bias. */
export function profilesOf(count: number, shape = DEFAULT_SHAPE): NewProfile[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `demo-${String(index).padStart(3, "0")}`,
    masks: masksOf(index + 1, shape),
    labelBias: null,
  }));
}

/** Returns texts as engine inputs of one profile without a label bias. */
export function engineInputs(masks: Uint8Array, ...inputs: TextInput[]): EngineInput[] {
  return inputs.map((input) => ({ parts: { masks, labelBias: null }, input }));
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

/** Returns a task in the format of `task.json`. */
export function taskFile(task: NewTask): string {
  const { name, head, masks, adapter, ...rest } = task;
  return JSON.stringify({
    format: "xpeft-task/1",
    task: name,
    ...rest,
    head: base64(new Uint8Array(head.buffer)),
    masks: base64(masks),
    adapter: adapter ? base64(adapter) : undefined,
  });
}

/** Returns profiles in the format of `profiles.ndjson`, with the hash of their head if it is given. */
export function profilesFile(task: string, profiles: readonly NewProfile[], headHash?: string): string {
  const lines = profiles.map(({ id, masks, labelBias }) =>
    JSON.stringify({
      task,
      profile: id,
      headHash,
      masks: base64(masks),
      labelBias: labelBias ? base64(labelBias) : undefined,
    }),
  );
  return lines.map((line) => `${line}\n`).join("");
}

/** Returns the hash of a task's head, as an export writes it. */
export const headHashOf = async (task: NewTask): Promise<string> => (await profileTaskOf(task)).headHash;

/** Returns a task for a bundle. */
export function taskFor({ id, manifest }: { id: string; manifest: Manifest }, parts: Partial<NewTask> = {}): NewTask {
  return taskOf({ bundle: id, hidden: manifest.hidden, ...parts });
}
