import { normalize, total, VECTOR } from "./rows.as";
import { project, raise } from "./tail.as";

/**
 * Adds to the gradients of a tail's adapter what a token gives: the backward pass of `addTail`, whose parameters these are,
 * but for the last four.
 *
 * @param ofOutput gradient of every token's output times the weight of the last LayerNorm, d numbers
 * @param scratch three times d numbers, then three times b numbers
 * @param ofDown gradient of `down`; `ofUp` of `up`
 */
export function addGradients(
  token: usize,
  hidden: usize,
  bottleneck: usize,
  norm: usize,
  epsilon: f32,
  unitEpsilon: f32,
  down: usize,
  up: usize,
  ofOutput: usize,
  scratch: usize,
  ofDown: usize,
  ofUp: usize,
): void {
  const entering = scratch;
  const ofRaised = entering + hidden;
  // The bottleneck stands behind the row that it is projected from and raised to.
  const raised = ofRaised + hidden;
  const low = raised + hidden;
  const ofActive = low + bottleneck;
  const ofLow = ofActive + bottleneck;
  normalize(token, hidden, norm, epsilon, raised);
  memory.copy(entering, raised, hidden);
  project(raised, low, down, bottleneck);
  const lowFactor = standardize(low, bottleneck, unitEpsilon);
  memory.copy(raised, token, hidden);
  raise(low, bottleneck, up, raised);
  const raisedFactor = standardize(raised, hidden, epsilon);
  backThroughNorm(ofOutput, raised, hidden, raisedFactor, ofRaised);
  for (let number: usize = 0; number < bottleneck; number += 4) {
    const row = (number >> 2) * hidden;
    const active = load<f32>(low + number);
    store<f32>(ofActive + number, active > 0 ? dot(ofRaised, up + row, hidden) : 0);
    if (active > 0) addTimes(ofRaised, hidden, active, ofUp + row);
  }
  backThroughNorm(ofActive, low, bottleneck, lowFactor, ofLow);
  let target = ofDown;
  for (let number: usize = 0; number < hidden; number += 4) {
    addTimes(ofLow, bottleneck, load<f32>(entering + number), target);
    target += bottleneck;
  }
}

/** Replaces a row by itself less its mean, over its standard deviation, and returns 1 over that. */
function standardize(row: usize, bytes: usize, epsilon: f32): f32 {
  const count = <f32>(bytes >> 2);
  const means = f32x4.splat(sum(row, bytes) / count);
  for (let at = row; at < row + bytes; at += VECTOR) v128.store(at, f32x4.sub(v128.load(at), means));
  const factor: f32 = 1 / sqrt<f32>(dot(row, row, bytes) / count + epsilon);
  const factors = f32x4.splat(factor);
  for (let at = row; at < row + bytes; at += VECTOR) v128.store(at, f32x4.mul(v128.load(at), factors));
  return factor;
}

/** Writes the gradient of a row that was standardized to `values`, of the gradient of these. */
function backThroughNorm(gradient: usize, values: usize, bytes: usize, factor: f32, target: usize): void {
  const count = <f32>(bytes >> 2);
  const means = f32x4.splat(sum(gradient, bytes) / count);
  const along = f32x4.splat(dot(gradient, values, bytes) / count);
  const factors = f32x4.splat(factor);
  for (let at: usize = 0; at < bytes; at += VECTOR) {
    const rest = f32x4.sub(f32x4.sub(v128.load(gradient + at), means), f32x4.mul(v128.load(values + at), along));
    v128.store(target + at, f32x4.mul(rest, factors));
  }
}

function sum(row: usize, bytes: usize): f32 {
  let sums = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += VECTOR) sums = f32x4.add(sums, v128.load(row + at));
  return total(sums);
}

function dot(a: usize, b: usize, bytes: usize): f32 {
  let sums = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += VECTOR)
    sums = f32x4.add(sums, f32x4.mul(v128.load(a + at), v128.load(b + at)));
  return total(sums);
}

/** Adds a row times a factor to another. */
function addTimes(row: usize, bytes: usize, factor: f32, target: usize): void {
  const factors = f32x4.splat(factor);
  for (let at: usize = 0; at < bytes; at += VECTOR)
    v128.store(target + at, f32x4.add(v128.load(target + at), f32x4.mul(factors, v128.load(row + at))));
}
