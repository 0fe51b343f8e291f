import { readFile } from "node:fs/promises";
import { expect } from "vitest";
import { compileWasm } from "../../../src/lib/wasm.ts";
import { bytesOf, expectSameBits, type Numbers } from "./same-bits.ts";

type Kernel =
  | "adaptRows"
  | "addGradients"
  | "addRow"
  | "addSigns"
  | "addSteps"
  | "addTail"
  | "attend"
  | "embed"
  | "gelu"
  | "multiply"
  | "normalizeRows"
  | "quantize";

/** Buffers in the kernels' memory. They begin at multiples of 16 bytes, and guards surround each of them. */
export interface Arena {
  /** Those of the encoder, and those of the pool and the tail. */
  readonly kernels: Record<Kernel, (...parameters: number[]) => void>;
  /** Returns the address of numbers that no kernel may change. */
  input(values: Numbers): number;
  /** Returns the address of numbers that a kernel changes. */
  inPlace(values: Numbers): number;
  /** Returns the address of so many bytes for output or scratch. They hold the guards' pattern. */
  allocate(bytes: number): number;
  floats(address: number, count: number): Float32Array;
  steps(address: number, count: number): Int8Array;
  integers(address: number, count: number): Int32Array;
}

/** Bytes on each side of a buffer that no kernel may change. */
const GUARD = 1024;
/** Bytes of a v128. */
const ALIGNED = 16;
/** The bytes of a guard. As a float32, the first is tiny and the second is NaN. */
const PATTERNS = [0xa5, 0xff];
const PAGES = 128;

const memory = new WebAssembly.Memory({ initial: PAGES });
const exportsOf = async (name: string) => {
  const module = await compileWasm(await readFile(`src/model/kernels/${name}.wasm`));
  return new WebAssembly.Instance(module, { env: { memory } }).exports;
};
const kernels = { ...(await exportsOf("encoder")), ...(await exportsOf("kernels")) } as Arena["kernels"];

/**
 * Runs kernels twice, over guards and scratch of different bytes, and returns what they computed.
 *
 * Fails if a kernel writes outside its buffers or to its inputs. Fails if the results differ: a kernel then reads what
 * nobody wrote.
 *
 * @param work lays out buffers, calls kernels and returns their results
 */
export function runGuarded<Results extends readonly Numbers[]>(work: (arena: Arena) => Results): Results {
  const [results, others = []] = PATTERNS.map((pattern) => runOver(pattern, work));
  if (!results) throw new Error("there is a pattern");
  for (const [index, result] of results.entries()) expectSameBits(others[index], result);
  return results;
}

function runOver<Results>(pattern: number, work: (arena: Arena) => Results): Results {
  const { buffer } = memory;
  const bytes = new Uint8Array(buffer);
  const inputs: [number, Uint8Array][] = [];
  const guards: [number, number][] = [];
  let end = 0;
  bytes.fill(pattern, 0, GUARD);
  function allocate(length: number): number {
    const start = Math.ceil(end / ALIGNED) * ALIGNED + GUARD;
    guards.push([end, start]);
    end = start + length;
    bytes.fill(pattern, start, end + ALIGNED + GUARD);
    return start;
  }
  function inPlace(values: Numbers): number {
    const start = allocate(values.byteLength);
    bytes.set(bytesOf(values), start);
    return start;
  }
  const results = work({
    kernels,
    allocate,
    inPlace,
    input(values) {
      const start = inPlace(values);
      inputs.push([start, bytesOf(values)]);
      return start;
    },
    floats: (address, count) => new Float32Array(buffer, address, count).slice(),
    steps: (address, count) => new Int8Array(buffer, address, count).slice(),
    integers: (address, count) => new Int32Array(buffer, address, count).slice(),
  });
  const intact = Buffer.alloc(ALIGNED + GUARD, pattern);
  for (const [start, stop] of [...guards, [end, end + GUARD] as const]) {
    if (intact.compare(bytes, start, stop, 0, stop - start) !== 0)
      expect.fail(`a kernel wrote outside its buffers, between ${start} and ${stop}`);
  }
  for (const [start, values] of inputs) {
    if (Buffer.compare(values, bytes.subarray(start, start + values.length)) !== 0)
      expect.fail(`a kernel changed its input at ${start}`);
  }
  return results;
}
