import { add, at, divide, multiply, squareRoot, subtract, sumInLanes } from "./float32.ts";

/** Returns the LayerNorm of a row, as the kernels compute it. @param norm the weight, then the bias */
export function normalize(row: Float32Array, norm: Float32Array, epsilon: number): Float32Array {
  const count = row.length;
  const mean = divide(sumInLanes(row), count);
  const centred = row.map((value) => subtract(value, mean));
  const squares = sumInLanes(centred.map((value) => multiply(value, value)));
  const factor = divide(1, squareRoot(add(divide(squares, count), Math.fround(epsilon))));
  return centred.map((value, index) => {
    const unit = multiply(factor, value);
    return add(at(norm, count + index), multiply(at(norm, index), unit));
  });
}

/** Returns what a function makes of each row of some. */
export function mapRows(rows: Float32Array, width: number, ofRow: (row: Float32Array) => Float32Array) {
  const parts = Array.from({ length: rows.length / width }, (_, index) =>
    ofRow(rows.subarray(index * width, (index + 1) * width)),
  );
  return concatenate(parts);
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    whole.set(part, end);
    end += part.length;
  }
  return whole;
}
