// Int8 matrix product with relaxed SIMD, as fast as a simple loop gets: a lower bound for an encoder's products.

/**
 * Writes the product of A `[m, k]`, 7 bits of each byte, and B, int8, as int32 `[m, n]`. Four rows and eight columns are
 * summed at a time, so that each loaded value of B is used four times.
 *
 * @param b packed in the order of the loop: for each 8 columns, for each 4 rows, the 4 values of a column side by side
 * @param m a multiple of 4
 * @param n a multiple of 8
 * @param k a multiple of 4
 */
export function gemm(a: usize, b: usize, c: usize, m: usize, n: usize, k: usize): void {
  for (let column: usize = 0; column < n; column += 8) {
    for (let row: usize = 0; row < m; row += 4) {
      let a0 = a + row * k;
      let a1 = a0 + k;
      let a2 = a1 + k;
      let a3 = a2 + k;
      const end = a1;
      let c00 = i32x4.splat(0);
      let c01 = i32x4.splat(0);
      let c10 = i32x4.splat(0);
      let c11 = i32x4.splat(0);
      let c20 = i32x4.splat(0);
      let c21 = i32x4.splat(0);
      let c30 = i32x4.splat(0);
      let c31 = i32x4.splat(0);
      let panel = b + column * k;
      while (a0 < end) {
        const left = v128.load(panel);
        const right = v128.load(panel, 16);
        let four = v128.load32_splat(a0);
        c00 = i32x4.relaxed_dot_i8x16_i7x16_add_s(left, four, c00);
        c01 = i32x4.relaxed_dot_i8x16_i7x16_add_s(right, four, c01);
        four = v128.load32_splat(a1);
        c10 = i32x4.relaxed_dot_i8x16_i7x16_add_s(left, four, c10);
        c11 = i32x4.relaxed_dot_i8x16_i7x16_add_s(right, four, c11);
        four = v128.load32_splat(a2);
        c20 = i32x4.relaxed_dot_i8x16_i7x16_add_s(left, four, c20);
        c21 = i32x4.relaxed_dot_i8x16_i7x16_add_s(right, four, c21);
        four = v128.load32_splat(a3);
        c30 = i32x4.relaxed_dot_i8x16_i7x16_add_s(left, four, c30);
        c31 = i32x4.relaxed_dot_i8x16_i7x16_add_s(right, four, c31);
        panel += 32;
        a0 += 4;
        a1 += 4;
        a2 += 4;
        a3 += 4;
      }
      let to = c + ((row * n + column) << 2);
      const next = n << 2;
      v128.store(to, c00);
      v128.store(to, c01, 16);
      to += next;
      v128.store(to, c10);
      v128.store(to, c11, 16);
      to += next;
      v128.store(to, c20);
      v128.store(to, c21, 16);
      to += next;
      v128.store(to, c30);
      v128.store(to, c31, 16);
    }
  }
}
