import { readFile } from "node:fs/promises";
import { expect } from "vitest";

type Kernels = Record<
  "adaptRows" | "addTail" | "attend" | "embed" | "gelu" | "multiply" | "normalizeRows" | "quantize",
  (...parameters: number[]) => void
>;

// Node compiles bytes; workerd, whose types apply here, does not.
const compile = WebAssembly.Module as unknown as new (bytes: Uint8Array) => WebAssembly.Module;
const module = new compile(await readFile("src/model/kernels/encoder.wasm"));
const servedModule = new compile(await readFile("src/model/kernels/kernels.wasm"));

/** What lies around each buffer: 64 bytes that no kernel may change. */
const GUARD = 0xa5;
const GUARD_BYTES = 64;

/** Lays out buffers with guards around them, and gives the kernels of the encoder and those of the tail their memory. */
export function createArena() {
  const memory = new WebAssembly.Memory({ initial: 2 });
  const bytes = new Uint8Array(memory.buffer).fill(GUARD);
  const taken: [number, number][] = [];
  let end = GUARD_BYTES;
  const take = (length: number) => {
    const start = end;
    taken.push([start, length]);
    end += Math.ceil(length / 16) * 16 + GUARD_BYTES;
    return start;
  };
  return {
    kernels: new WebAssembly.Instance(module, { env: { memory } }).exports as Kernels,
    served: new WebAssembly.Instance(servedModule, { env: { memory } }).exports as Pick<Kernels, "addTail">,
    floats(values: ArrayLike<number>) {
      const at = take(4 * values.length);
      new Float32Array(memory.buffer, at, values.length).set(values);
      return at;
    },
    steps(values: ArrayLike<number>) {
      const at = take(values.length);
      new Int8Array(memory.buffer, at, values.length).set(values);
      return at;
    },
    integers(values: ArrayLike<number>) {
      const at = take(4 * values.length);
      new Int32Array(memory.buffer, at, values.length).set(values);
      return at;
    },
    room: (numbers: number) => take(4 * numbers),
    readFloats: (at: number, length: number) => Array.from(new Float32Array(memory.buffer, at, length)),
    readIntegers: (at: number, length: number) => Array.from(new Int32Array(memory.buffer, at, length)),
    readSteps: (at: number, length: number) => Array.from(new Int8Array(memory.buffer, at, length)),
    expectGuards() {
      let place = 0;
      for (const [start, length] of taken) {
        expect(bytes.subarray(place, start).every((byte) => byte === GUARD)).toBe(true);
        place = start + length;
      }
      expect(bytes.subarray(place).every((byte) => byte === GUARD)).toBe(true);
    },
  };
}
