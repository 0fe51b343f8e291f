import { add, at, divide, roundToEven, multiply as times } from "./float32.ts";

/** What quantizing gives for each row: its steps, what a step is worth, and 64 times the sum of its steps. */
export interface Quantized {
  readonly steps: Int8Array;
  readonly scales: Float32Array;
  readonly sums: Int32Array;
}

/** Returns quantized rows, `[count, width]`, as the kernel computes them. @param factors of each number of a row */
export function quantize(rows: Float32Array, factors: Float32Array): Quantized {
  const width = factors.length;
  const count = rows.length / width;
  const steps = new Int8Array(rows.length);
  const [scales, sums] = [new Float32Array(count), new Int32Array(count)];
  for (let row = 0; row < count; row++) {
    const smooth = factors.map((factor, index) => times(at(rows, row * width + index), factor));
    const scale = divide(
      smooth.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
      127,
    );
    const inverse = divide(1, scale);
    for (const [index, value] of smooth.entries()) {
      const step = toInt8(times(value, inverse < Infinity ? inverse : 0));
      steps[row * width + index] = step;
      sums[row] = at(sums, row) + 64 * step;
    }
    scales[row] = scale;
  }
  return { steps, scales, sums };
}

/** Returns a rounded number, or the int8 that is nearest to it. NaN gives 0. */
function toInt8(value: number): number {
  return Number.isNaN(value) ? 0 : Math.min(127, Math.max(-128, roundToEven(value)));
}

/** Returns the product of quantized rows with weights from -63 to 63, `[inputs, outputs]`, plus a bias, as the kernel computes it. */
export function multiply(
  { steps, scales }: Quantized,
  weights: Int32Array,
  factors: Float32Array,
  biases: Float32Array,
): Float32Array {
  const outputs = factors.length;
  const inputs = weights.length / outputs;
  const product = new Float32Array(scales.length * outputs);
  for (const [row, scale] of scales.entries()) {
    for (let output = 0; output < outputs; output++) {
      let sum = 0;
      for (let input = 0; input < inputs; input++)
        sum += (steps[row * inputs + input] ?? Number.NaN) * (weights[input * outputs + output] ?? Number.NaN);
      const worth = times(scale, at(factors, output));
      product[row * outputs + output] = add(times(Math.fround(sum), worth), at(biases, output));
    }
  }
  return product;
}

/** Returns weights, `[inputs, outputs]`, as docs/formats.md packs them: `[outputs / 8, inputs / 4, 8, 4]`, plus 64. */
export function packWeights(weights: Int32Array, outputs: number): Uint8Array {
  const inputs = weights.length / outputs;
  return Uint8Array.from({ length: weights.length }, (_, index) => {
    const [panel, rest] = [Math.floor(index / (8 * inputs)), index % (8 * inputs)];
    const input = 4 * Math.floor(rest / 32) + (rest % 4);
    return at(weights, input * outputs + 8 * panel + (Math.floor(rest / 4) % 8)) + 64;
  });
}
