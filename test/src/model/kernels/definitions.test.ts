// The kernels have the bits of their references. The references are close to the definitions in float64.
import fc from "fast-check";
import { expect, it } from "vitest";
import { attend } from "../../../support/kernels/attention.ts";
import { RUNS } from "../../../support/kernels/draws.ts";
import { at, roundToEven } from "../../../support/kernels/float32.ts";
import { exp, gelu } from "../../../support/kernels/functions.ts";
import { normalize } from "../../../support/kernels/rows.ts";

const floats = (most: number, least: number, greatest = least) =>
  fc.float32Array({ min: -most, max: most, noNaN: true, minLength: least, maxLength: greatest });

const range = (least: number, most: number, step: number) =>
  Array.from({ length: Math.round((most - least) / step) + 1 }, (_, index) => Math.fround(least + step * index));

it("rounding takes the even one of two whole numbers, and keeps the sign of a zero", () => {
  expect([0.5, 1.5, 2.5, -0.5, -1.5, -2.5, -0.2, 2.4, -Infinity].map(roundToEven)).toEqual([
    0,
    2,
    2,
    -0,
    -2,
    -2,
    -0,
    2,
    -Infinity,
  ]);
});

it("the exponential function has a relative error below 2^-22", () => {
  for (const x of range(-86.9, 0, 0.03)) expect(Math.abs(exp(x) / Math.exp(x) - 1)).toBeLessThan(2 ** -22);
  expect([0, -0, -88, -Infinity, Number.NaN].map(exp)).toEqual([1, 1, 0, 0, Number.NaN]);
});

it("the GELU is that by tanh", () => {
  for (const x of range(-20, 20, 0.02)) {
    const exact = 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
    expect(Math.abs(gelu(x) - exact)).toBeLessThan(2e-6 * Math.max(1, Math.abs(x)));
  }
  // By tanh too, minus infinity gives -Infinity · 0.
  const special = [0, -0, -1e30, Infinity, -Infinity, Number.NaN].map(Math.fround);
  expect(special.map(gelu)).toEqual([0, -0, -0, Infinity, Number.NaN, Number.NaN]);
});

it("LayerNorm takes the mean off and divides by the standard deviation", () => {
  fc.assert(
    fc.property(floats(20, 8), floats(20, 16), (row, norm) => {
      const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
      const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
      for (const [index, value] of normalize(row, norm, 1e-5).entries()) {
        const unit = (at(row, index) - mean) / Math.sqrt(variance + 1e-5);
        expect(Math.abs(value - (unit * at(norm, index) + at(norm, row.length + index)))).toBeLessThan(1e-3);
      }
    }),
    RUNS,
  );
});

it("attention is the values' mean, weighted by the softmax of queries times keys", () => {
  const [heads, size] = [2, 8];
  const width = heads * size;
  const texts = fc.integer({ min: 1, max: 9 }).chain((tokens) => floats(2.5, tokens * 3 * width));
  fc.assert(
    fc.property(texts, (rows) => {
      const part = (token: number, kind: number, head: number) => {
        const start = (3 * token + kind) * width + head * size;
        return [...rows.subarray(start, start + size)];
      };
      for (const [place, found] of attend(rows, heads, size, 0.5).entries()) {
        const [token, head, index] = [Math.floor(place / width), Math.floor((place % width) / size), place % size];
        const query = part(token, 0, head);
        const powers = Array.from({ length: rows.length / (3 * width) }, (_, key) =>
          Math.exp(0.5 * part(key, 1, head).reduce((sum, value, i) => sum + value * at(query, i), 0)),
        );
        const total = powers.reduce((sum, power) => sum + power, 0);
        const expected = powers.reduce((sum, power, key) => sum + (power / total) * at(part(key, 2, head), index), 0);
        expect(Math.abs(found - expected)).toBeLessThan(1e-4);
      }
    }),
    { numRuns: 50 },
  );
});
