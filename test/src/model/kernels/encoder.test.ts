import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createArena } from "../../../support/kernel-arena.ts";
import { isLongForm } from "../../../support/long-form.ts";

const numbers = (least: number, most = least) =>
  fc.array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: least, maxLength: most });
const at = (values: readonly number[], index: number) => values[index] ?? Number.NaN;
const RUNS = { numRuns: isLongForm ? 20_000 : 150 };

describe("the kernels of an encoder", () => {
  it("quantize rows as their definition says", () => {
    const shape = fc.record({ count: fc.integer({ min: 1, max: 6 }), eights: fc.integer({ min: 1, max: 5 }) });
    const cases = shape.chain(({ count, eights }) => fc.tuple(fc.constant(count), numbers(count * 8 * eights)));
    fc.assert(
      fc.property(cases, ([count, values]) => {
        const arena = createArena();
        const width = values.length / count;
        const factors = Array.from({ length: width }, (_, i) => Math.fround(0.5 + 0.3 * i));
        const rows = arena.floats(values);
        const [steps, scales, sums] = [arena.steps(values.map(() => 0)), arena.room(count), arena.room(count)];
        arena.kernels.quantize(rows, count, width, arena.floats(factors), steps, scales, sums);
        const own = arena.readSteps(steps, values.length);
        for (let row = 0; row < count; row++) {
          const ofRow = values
            .slice(row * width, (row + 1) * width)
            .map((value, i) => Math.fround(Math.fround(value) * at(factors, i)));
          const scale = Math.fround(Math.max(...ofRow.map(Math.abs)) / 127);
          const inverse = scale > 0 ? Math.fround(1 / scale) : 0;
          const expected = ofRow.map((value) => roundToEven(Math.fround(value * inverse)));
          expect(own.slice(row * width, (row + 1) * width)).toEqual(expected);
          expect(arena.readFloats(scales + 4 * row, 1)).toEqual([scale]);
          expect(arena.readIntegers(sums + 4 * row, 1)).toEqual([64 * expected.reduce((sum, step) => sum + step, 0)]);
        }
        arena.expectGuards();
      }),
      RUNS,
    );
  });

  it("multiply exactly, by either instructions, and add the bias", () => {
    const cases = fc.record({
      count: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 30, max: 37 })),
      width: fc.integer({ min: 1, max: 6 }).map((fours) => 4 * fours),
      outputs: fc.integer({ min: 1, max: 4 }).map((eights) => 8 * eights),
      seed: fc.integer({ min: 1, max: 1e6 }),
    });
    fc.assert(
      fc.property(cases, ({ count, width, outputs, seed }) => {
        const arena = createArena();
        const drawn = (index: number, most: number) => ((seed * 7919 + index * 104_729) % (2 * most + 1)) - most;
        const steps = Array.from({ length: count * width }, (_, i) => drawn(i, 127));
        const weight = (input: number, output: number) => drawn(input * 31 + output * 17, 63);
        const packed = Array.from({ length: width * outputs }, (_, i) => {
          const [eight, rest] = [Math.floor(i / (8 * width)), i % (8 * width)];
          return weight(4 * Math.floor(rest / 32) + (rest % 4), 8 * eight + (Math.floor(rest / 4) % 8)) + 64;
        });
        const scales = Array.from({ length: count }, (_, row) => Math.fround(0.01 * (row + 1)));
        const factors = Array.from({ length: outputs }, (_, output) => Math.fround(0.001 * (output + 1)));
        const biases = Array.from({ length: outputs }, (_, output) => Math.fround(0.5 - output));
        const ofRow = (row: number) => steps.slice(row * width, (row + 1) * width);
        const sums = scales.map((_, row) => 64 * ofRow(row).reduce((sum, step) => sum + step, 0));
        const ofRows = [arena.steps(steps), arena.floats(scales), arena.integers(sums), count, width] as const;
        const ofWeights = [arena.steps(packed), arena.floats(factors), arena.floats(biases), outputs] as const;
        const [target, other] = [arena.room(count * outputs), arena.room(count * outputs)];
        arena.kernels.multiply(...ofRows, ...ofWeights, target, 1);
        arena.kernels.multiply(...ofRows, ...ofWeights, other, 0);
        const expected = scales.flatMap((scale, row) =>
          factors.map((factor, output) => {
            const exact = ofRow(row).reduce((sum, step, input) => sum + step * weight(input, output), 0);
            return Math.fround(Math.fround(exact * Math.fround(scale * factor)) + at(biases, output));
          }),
        );
        expect(arena.readFloats(target, expected.length)).toEqual(expected);
        expect(arena.readFloats(other, expected.length)).toEqual(expected);
        arena.expectGuards();
      }),
      RUNS,
    );
  });

  it("compute the GELU by tanh", () => {
    const values = Array.from({ length: 4000 }, (_, index) => (index - 2000) / 100);
    const arena = createArena();
    const place = arena.floats([...values, 0, -0, 1e-40, -1e30]);
    arena.kernels.gelu(place, 4 * (values.length + 4));
    const own = arena.readFloats(place, values.length + 4);
    for (const [index, x] of values.entries()) {
      const exact = 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
      expect(Math.abs(at(own, index) - exact)).toBeLessThan(2e-6 * Math.max(1, Math.abs(x)));
    }
    expect(own.slice(-4).map(Math.abs)).toEqual([0, 0, expect.closeTo(0, 30), 0]);
    arena.expectGuards();
  });

  it("normalize rows", () => {
    fc.assert(
      fc.property(numbers(16), numbers(16), (row, norm) => {
        const arena = createArena();
        const [place, weights] = [arena.floats(row), arena.floats(norm)];
        arena.kernels.normalizeRows(place, 2, 32, weights, 1e-5, place);
        for (const start of [0, 8]) {
          const half = row.slice(start, start + 8);
          const mean = half.reduce((sum, value) => sum + value, 0) / 8;
          const variance = half.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 8;
          const found = arena.readFloats(place + 4 * start, 8);
          for (const [index, value] of half.entries()) {
            const expected = ((value - mean) / Math.sqrt(variance + 1e-5)) * at(norm, index) + at(norm, index + 8);
            expect(Math.abs(at(found, index) - expected)).toBeLessThan(1e-3);
          }
        }
        arena.expectGuards();
      }),
      RUNS,
    );
  });

  it("add the word, type and position of each token, and normalize the sum", () => {
    const [words, width] = [5, 8];
    const texts = fc.array(fc.tuple(fc.integer({ min: 0, max: words - 1 }), fc.integer({ min: 0, max: 1 })), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(texts, numbers(2 * width), numbers(6 * width), numbers(2 * width), (text, types, places, norm) => {
        const arena = createArena();
        const steps = Array.from({ length: words * width }, (_, i) => ((i * 37) % 255) - 127);
        const scales = Array.from({ length: words }, (_, word) => Math.fround(0.01 * (word + 1)));
        const ids = [arena.integers(text.map(([id]) => id)), arena.integers(text.map(([, type]) => type))] as const;
        const tables = [arena.steps(steps), arena.floats(scales), arena.floats(types), arena.floats(places)] as const;
        const [norms, target] = [arena.floats(norm), arena.room(text.length * width)];
        arena.kernels.embed(...ids, text.length, width, ...tables, norms, 1e-5, target);
        const found = arena.readFloats(target, text.length * width);
        for (const [token, [id, type]] of text.entries()) {
          const sums = Array.from(
            { length: width },
            (_, i) =>
              at(steps, id * width + i) * at(scales, id) + at(types, type * width + i) + at(places, token * width + i),
          );
          const room = arena.floats(sums);
          arena.kernels.normalizeRows(room, 1, 4 * width, norms, 1e-5, room);
          for (const [i, expected] of arena.readFloats(room, width).entries())
            expect(Math.abs(at(found, token * width + i) - expected)).toBeLessThan(1e-2);
        }
        arena.expectGuards();
      }),
      RUNS,
    );
  });

  it("end a layer under an adapter with the bits of the tail that the Worker serves", () => {
    const [tokens, hidden, bottleneck] = [3, 8, 4];
    fc.assert(
      fc.property(numbers(tokens * hidden), numbers(2 * hidden * bottleneck), numbers(2 * hidden), (rows, ab, norm) => {
        const arena = createArena();
        const [place, pooled, scratch] = [arena.floats(rows), arena.floats(rows.map(() => 0)), arena.room(12)];
        const [down, up] = [ab.slice(0, hidden * bottleneck), ab.slice(hidden * bottleneck)].map(arena.floats);
        const layout = [arena.floats(norm), 1e-5, arena.floats([1, 1, 1, 1, 0, 0, 0, 0]), 1e-5, down, up] as number[];
        const bytes = [4 * hidden, 4 * bottleneck] as const;
        for (let token = 0; token < tokens; token++) {
          const row = place + token * 4 * hidden;
          arena.served.addTail(row, row + 4 * hidden, ...bytes, ...layout, scratch, pooled + token * 4 * hidden);
        }
        arena.kernels.adaptRows(place, tokens, ...bytes, ...layout, scratch);
        // The tail adds to zeros, which makes -0 a 0.
        const found = arena.readFloats(place, rows.length).map((value) => value + 0);
        expect(found).toEqual(arena.readFloats(pooled, rows.length));
        arena.expectGuards();
      }),
      RUNS,
    );
  });

  it("attend to every token, whatever their number", () => {
    const [heads, size] = [2, 8];
    const width = heads * size;
    const cases = fc.integer({ min: 1, max: 19 }).chain((tokens) => numbers(tokens * 3 * width));
    fc.assert(
      fc.property(cases, (rows) => {
        const tokens = rows.length / (3 * width);
        const scaled = rows.map((value) => value / 8);
        const arena = createArena();
        const padded = 8 * Math.ceil(tokens / 8);
        const place = arena.floats(scaled);
        const rooms = [arena.room(size * padded), arena.room(tokens * size), arena.room(4 * padded)] as const;
        const target = arena.room(tokens * width);
        arena.kernels.attend(place, tokens, heads, size, 0.5, ...rooms, target);
        const found = arena.readFloats(target, tokens * width);
        const part = (token: number, kind: number, head: number) =>
          scaled.slice((3 * token + kind) * width + head * size, (3 * token + kind) * width + (head + 1) * size);
        for (let token = 0; token < tokens; token++) {
          for (let head = 0; head < heads; head++) {
            const query = part(token, 0, head);
            const powers = Array.from({ length: tokens }, (_, key) =>
              Math.exp(0.5 * part(key, 1, head).reduce((sum, value, i) => sum + value * at(query, i), 0)),
            );
            const total = powers.reduce((sum, power) => sum + power, 0);
            for (let i = 0; i < size; i++) {
              const expected = powers.reduce((sum, power, key) => sum + (power / total) * at(part(key, 2, head), i), 0);
              expect(Math.abs(at(found, token * width + head * size + i) - expected)).toBeLessThan(1e-4);
            }
          }
        }
        arena.expectGuards();
      }),
      RUNS,
    );
  });
});

/** Rounds as WebAssembly's `nearest` does. */
function roundToEven(value: number): number {
  const rounded = Math.round(value);
  const isTie = Math.abs(value % 1) === 0.5;
  return (isTie && rounded % 2 !== 0 ? rounded - 1 : rounded) + 0;
}
