import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { COMPILED, compileGemm } from "../../bench/floor/build.ts";

const [ROWS, COLUMNS, DEPTH] = [4, 16, 12];

it("is what its source compiles to", async () => {
  expect(new Uint8Array(await readFile(COMPILED))).toEqual(await compileGemm());
});

it("multiplies", async () => {
  // The types of workerd know no compiling of bytes, which Node does.
  const compile = WebAssembly.Module as unknown as new (bytes: Uint8Array) => WebAssembly.Module;
  const { exports } = new WebAssembly.Instance(new compile(await readFile(COMPILED)));
  const { memory, gemm } = exports as { memory: WebAssembly.Memory; gemm: (...places: number[]) => void };
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
  const expected = Array.from({ length: ROWS * COLUMNS }, (_, place) => {
    const [row, column] = [Math.floor(place / COLUMNS), place % COLUMNS];
    return Array.from({ length: DEPTH }, (_, k) => activation(row, k) * weight(k, column)).reduce((x, y) => x + y, 0);
  });
  expect(found).toEqual(expected);
});
