// Merges matrices of an adapter pool. `target` is a row of float32 numbers, one for each entry of a matrix. The kernels go
// by whole blocks of entries, and so read and write past the last one: the host's memory has room there.
import { VECTOR } from "./rows.as";

/**
 * Adds `share · (2c - chosen)` to each entry, c being how many of the listed matrices have a one there. Blocks of 128.
 *
 * @param list addresses of the matrices: entry e is bit `e & 7` of byte `e >> 3`; their number is a multiple of four,
 * filled up with matrices of zeros
 * @param listEnd where the list ends
 * @param chosen below 2^14
 * @param planes 16 bytes for each binary digit of `chosen`, two or more: 128 counters stand there upright, digit p of
 * each in plane p
 */
export function addSigns(
  list: usize,
  listEnd: usize,
  chosen: i32,
  planes: usize,
  planesEnd: usize,
  share: f32,
  target: usize,
  entries: usize,
): void {
  const end = target + (entries << 2);
  // Neither compiler nor engine moves what never changes out of loops. A constant would even be copied back into them, so
  // this is a product with 1.
  const bits = i16x8.mul(i16x8(1, 2, 4, 8, 16, 32, 64, 128), i16x8.splat(<i16>(list < listEnd)));
  const chosens = i16x8.splat(<i16>chosen);
  const shares = f32x4.splat(share);
  for (let byte: usize = 0; target < end; byte += VECTOR) {
    countOnes(list, listEnd, byte, planes, planesEnd);
    for (let place: usize = 0; place < VECTOR; place++) {
      const signs = i16x8.sub(countsOfEight(planes, planesEnd, place, bits), chosens);
      addShares(i32x4.extend_low_i16x8_s(signs), shares, target);
      addShares(i32x4.extend_high_i16x8_s(signs), shares, target + VECTOR);
      target += 2 * VECTOR;
    }
  }
}

/** Counts the ones of 128 entries, from `byte` of each matrix on. */
function countOnes(list: usize, listEnd: usize, byte: usize, planes: usize, planesEnd: usize): void {
  let ones = i64x2.splat(0);
  let twos = i64x2.splat(0);
  memory.fill(planes, 0, planesEnd - planes);
  // Three full adders take four matrices in, and carry out bits that are worth four.
  for (let next = list; next < listEnd; next += 16) {
    const a = v128.load(byte + load<u32>(next));
    const b = v128.load(byte + load<u32>(next, 4));
    const c = v128.load(byte + load<u32>(next, 8));
    const d = v128.load(byte + load<u32>(next, 12));
    const differAB = v128.xor(a, b);
    const twoAB = v128.bitselect(ones, a, differAB);
    ones = v128.xor(ones, differAB);
    const differCD = v128.xor(c, d);
    const twoCD = v128.bitselect(ones, c, differCD);
    ones = v128.xor(ones, differCD);
    const differ = v128.xor(twoAB, twoCD);
    let carry = v128.bitselect(twos, twoAB, differ);
    twos = v128.xor(twos, differ);
    // They go up the planes, as far as there are any.
    let plane = planes + 2 * VECTOR;
    while (plane < planesEnd) {
      const digits = v128.load(plane);
      v128.store(plane, v128.xor(digits, carry));
      carry = v128.and(digits, carry);
      if (!v128.any_true(carry)) break;
      plane += VECTOR;
    }
  }
  v128.store(planes, ones);
  v128.store(planes, twos, 16);
}

/** Returns twice the counts of eight entries, from a byte of each plane, the highest first. @param bits 1, 2, 4 to 128 */
function countsOfEight(planes: usize, planesEnd: usize, place: usize, bits: v128): v128 {
  let counts = i16x8.splat(0);
  let plane = planesEnd;
  do {
    plane -= VECTOR;
    // -1 where the bit is set.
    const set = i16x8.eq(bits, v128.and(bits, v128.load8_splat(plane + place)));
    counts = i16x8.sub(i16x8.add(counts, counts), set);
  } while (plane > planes);
  return i16x8.add(counts, counts);
}

function addShares(numbers: v128, shares: v128, target: usize): void {
  v128.store(target, f32x4.add(v128.load(target), f32x4.mul(shares, f32x4.convert_i32x4_s(numbers))));
}

/**
 * Adds the listed matrices' steps to each entry, each times its matrix's share. Blocks of 16.
 *
 * A share is a whole number of 30 bits times a unit that all of them have, and so the sums are of whole numbers, and
 * exact: two matrices at a time, one sum for the upper 15 bits of the shares and one for the lower.
 *
 * @param list for each two matrices their addresses, then the upper halves of their shares, then the lower, 16 bits
 * each; the sums have room for 512 matrices
 * @param listEnd where the list ends
 * @param unitUpper what the upper halves count, `2^15 · unitLower`
 */
export function addSteps(
  list: usize,
  listEnd: usize,
  unitUpper: f32,
  unitLower: f32,
  target: usize,
  entries: usize,
): void {
  for (let byte: usize = 0; byte < entries; byte += VECTOR) {
    let upper0 = i32x4.splat(0);
    let upper1 = i32x4.splat(0);
    let upper2 = i32x4.splat(0);
    let upper3 = i32x4.splat(0);
    let lower0 = i32x4.splat(0);
    let lower1 = i32x4.splat(0);
    let lower2 = i32x4.splat(0);
    let lower3 = i32x4.splat(0);
    for (let next = list; next < listEnd; next += 16) {
      const a = byte + load<u32>(next);
      const b = byte + load<u32>(next, 4);
      const upper = v128.load32_splat(next, 8);
      const lower = v128.load32_splat(next, 12);
      let stepsA = v128.load8x8_s(a);
      let stepsB = v128.load8x8_s(b);
      let pairs = i16x8.shuffle(stepsA, stepsB, 0, 8, 1, 9, 2, 10, 3, 11);
      upper0 = i32x4.add(upper0, i32x4.dot_i16x8_s(pairs, upper));
      lower0 = i32x4.add(lower0, i32x4.dot_i16x8_s(pairs, lower));
      pairs = i16x8.shuffle(stepsA, stepsB, 4, 12, 5, 13, 6, 14, 7, 15);
      upper1 = i32x4.add(upper1, i32x4.dot_i16x8_s(pairs, upper));
      lower1 = i32x4.add(lower1, i32x4.dot_i16x8_s(pairs, lower));
      stepsA = v128.load8x8_s(a, 8);
      stepsB = v128.load8x8_s(b, 8);
      pairs = i16x8.shuffle(stepsA, stepsB, 0, 8, 1, 9, 2, 10, 3, 11);
      upper2 = i32x4.add(upper2, i32x4.dot_i16x8_s(pairs, upper));
      lower2 = i32x4.add(lower2, i32x4.dot_i16x8_s(pairs, lower));
      pairs = i16x8.shuffle(stepsA, stepsB, 4, 12, 5, 13, 6, 14, 7, 15);
      upper3 = i32x4.add(upper3, i32x4.dot_i16x8_s(pairs, upper));
      lower3 = i32x4.add(lower3, i32x4.dot_i16x8_s(pairs, lower));
    }
    addHalves(upper0, lower0, unitUpper, unitLower, target);
    addHalves(upper1, lower1, unitUpper, unitLower, target + VECTOR);
    addHalves(upper2, lower2, unitUpper, unitLower, target + 2 * VECTOR);
    addHalves(upper3, lower3, unitUpper, unitLower, target + 3 * VECTOR);
    target += 4 * VECTOR;
  }
}

function addHalves(upper: v128, lower: v128, unitUpper: f32, unitLower: f32, target: usize): void {
  const both = f32x4.add(
    f32x4.mul(f32x4.splat(unitUpper), f32x4.convert_i32x4_s(upper)),
    f32x4.mul(f32x4.splat(unitLower), f32x4.convert_i32x4_s(lower)),
  );
  v128.store(target, f32x4.add(v128.load(target), both));
}
