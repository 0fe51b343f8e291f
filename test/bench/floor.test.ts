import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";

const [ROWS, COLUMNS, DEPTH] = [4, 16, 12];

it("the matrix product of the floor bench multiplies", async () => {
  // Node compiles bytes; workerd, whose types apply here, does not.
  const compile = WebAssembly.Module as unknown as new (bytes: Uint8Array) => WebAssembly.Module;
  const memory = new WebAssembly.Memory({ initial: 1 });
  const module = new compile(await readFile("bench/floor/gemm.wasm"));
  const gemm = new WebAssembly.Instance(module, { env: { memory } }).exports.gemm as (...args: number[]) => void;
  const activation = (row: number, k: number) => (row * 7 + k * 13) % 128;
  const weight = (k: number, column: number) => ((k * 31 + column * 17) % 255) - 127;
  const [a, b, c] = [0, 1024, 4096];
  const bytes = new Int8Array(memory.buffer);
  for (let row = 0; row < ROWS; row++) for (let k = 0; k < DEPTH; k++) bytes[a + row * DEPTH + k] = activation(row, k);
  for (let column = 0; column < COLUMNS; column++) {
    for (let k = 0; k < DEPTH; k++) {
      const [block, quad] = [column >> 3, k >> 2];
      bytes[b + block * 8 * DEPTH + quad * 32 + (column & 7) * 4 + (k & 3)] = weight(k, column);
    }
  }
  gemm(a, b, c, ROWS, COLUMNS, DEPTH);
  const found = Array.from(new Int32Array(memory.buffer, c, ROWS * COLUMNS));
  const expected = Array.from({ length: ROWS * COLUMNS }, (_, index) => {
    const [row, column] = [Math.floor(index / COLUMNS), index % COLUMNS];
    return Array.from({ length: DEPTH }, (_, k) => activation(row, k) * weight(k, column)).reduce((x, y) => x + y, 0);
  });
  expect(found).toEqual(expected);
});
