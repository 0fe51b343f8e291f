import { add, addTimes, at, divide, multiply, squareRoot, subtract, sumInLanes } from "./float32.ts";
import { normalize } from "./rows.ts";
import { type LayerEnd, project, raise } from "./tail.ts";

/** Gradients of an adapter, `[d, b]` and `[b, d]`. */
export interface AdapterGradients {
  readonly down: Float32Array;
  readonly up: Float32Array;
}

/**
 * Returns gradients plus those that a token gives, as the kernel computes them.
 *
 * @param ofOutput gradient of the token's output times the weight of the last LayerNorm
 */
export function addGradients(
  token: Float32Array,
  { norm, epsilon, unitEpsilon, down, up }: LayerEnd,
  ofOutput: Float32Array,
  gradients: AdapterGradients,
): AdapterGradients {
  const [ofDown, ofUp] = [gradients.down.slice(), gradients.up.slice()];
  const entering = normalize(token, norm, epsilon);
  const low = standardize(project(entering, down), unitEpsilon);
  const raised = standardize(raise(low.values, up, token), epsilon);
  const ofRaised = backThroughNorm(ofOutput, raised);
  const rowOf = (matrix: Float32Array, row: number, width: number) => matrix.subarray(row * width, (row + 1) * width);
  const ofActive = low.values.map((active, index) => {
    if (!(active > 0)) return 0;
    addTimes(ofRaised, active, rowOf(ofUp, index, token.length));
    return dotInLanes(ofRaised, rowOf(up, index, token.length));
  });
  const ofLow = backThroughNorm(ofActive, low);
  for (const [index, value] of entering.entries()) addTimes(ofLow, value, rowOf(ofDown, index, ofLow.length));
  return { down: ofDown, up: ofUp };
}

/** A row less its mean, times 1 over its standard deviation. */
interface Standardized {
  readonly values: Float32Array;
  readonly factor: number;
}

function standardize(row: Float32Array, epsilon: number): Standardized {
  const mean = divide(sumInLanes(row), row.length);
  const centred = row.map((value) => subtract(value, mean));
  const variance = divide(dotInLanes(centred, centred), row.length);
  const factor = divide(1, squareRoot(add(variance, Math.fround(epsilon))));
  return { values: centred.map((value) => multiply(value, factor)), factor };
}

function backThroughNorm(gradient: Float32Array, { values, factor }: Standardized): Float32Array {
  const mean = divide(sumInLanes(gradient), gradient.length);
  const along = divide(dotInLanes(gradient, values), gradient.length);
  return gradient.map((value, index) => {
    const rest = subtract(subtract(value, mean), multiply(at(values, index), along));
    return multiply(rest, factor);
  });
}

const dotInLanes = (a: Float32Array, b: Float32Array) =>
  sumInLanes(a.map((value, index) => multiply(value, at(b, index))));
