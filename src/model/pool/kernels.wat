;; Merges matrices of an adapter pool, and computes the tail of a text, 128 bits at a time. `npm run build:kernels` makes
;; kernels.wasm of this.
;;
;; `addSigns` and `addSteps` add to `target`, float32 numbers, one for each entry of a matrix. They go by whole blocks of
;; entries, and so read and write past the last one: the memory has room there (src/model/pool/kernels.ts).
(module
  (import "pool" "memory" (memory 1))

  ;; Adds `share · (2c - chosen)` to each entry, c being how many of the listed matrices have a one there. Blocks of 128.
  ;;
  ;; list     addresses of the matrices: entry e is bit `e & 7` of byte `e >> 3`; their number is a multiple of four, filled
  ;;          up with matrices of zeros
  ;; listEnd  where the list ends
  ;; chosen   below 2^14
  ;; planes   16 bytes for each binary digit of `chosen`: 128 counters stand there upright, digit p of each in plane p
  (func (export "addSigns")
    (param $list i32) (param $listEnd i32) (param $chosen i32) (param $planes i32) (param $planesEnd i32)
    (param $share f32) (param $target i32) (param $entries i32)
    (local $end i32) (local $byte i32) (local $next i32) (local $plane i32) (local $place i32)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128) (local $differ v128)
    (local $twoA v128) (local $twoB v128) (local $ones v128) (local $twos v128) (local $carry v128) (local $digits v128)
    (local $bit v128) (local $signs v128) (local $chosens v128) (local $shares v128)

    (local.set $bit (v128.const i16x8 1 2 4 8 16 32 64 128))
    (local.set $chosens (i16x8.splat (local.get $chosen)))
    (local.set $shares (f32x4.splat (local.get $share)))
    (local.set $end (i32.add (local.get $target) (i32.mul (local.get $entries) (i32.const 4))))

    (loop $block
      (local.set $ones (v128.const i64x2 0 0))
      (local.set $twos (v128.const i64x2 0 0))
      (memory.fill (local.get $planes) (i32.const 0) (i32.sub (local.get $planesEnd) (local.get $planes)))

      ;; Three full adders take four matrices in, and carry out bits that are worth four.
      (local.set $next (local.get $list))
      (loop $matrices
        (local.set $a (v128.load (i32.add (local.get $byte) (i32.load (local.get $next)))))
        (local.set $b (v128.load (i32.add (local.get $byte) (i32.load offset=4 (local.get $next)))))
        (local.set $c (v128.load (i32.add (local.get $byte) (i32.load offset=8 (local.get $next)))))
        (local.set $d (v128.load (i32.add (local.get $byte) (i32.load offset=12 (local.get $next)))))

        (local.set $differ (v128.xor (local.get $a) (local.get $b)))
        (local.set $twoA (v128.bitselect (local.get $ones) (local.get $a) (local.get $differ)))
        (local.set $ones (v128.xor (local.get $ones) (local.get $differ)))

        (local.set $differ (v128.xor (local.get $c) (local.get $d)))
        (local.set $twoB (v128.bitselect (local.get $ones) (local.get $c) (local.get $differ)))
        (local.set $ones (v128.xor (local.get $ones) (local.get $differ)))

        (local.set $differ (v128.xor (local.get $twoA) (local.get $twoB)))
        (local.set $carry (v128.bitselect (local.get $twos) (local.get $twoA) (local.get $differ)))
        (local.set $twos (v128.xor (local.get $twos) (local.get $differ)))

        ;; They go up the planes, as far as there are any.
        (local.set $plane (i32.add (local.get $planes) (i32.const 32)))
        (block $added
          (loop $up
            (br_if $added (i32.ge_u (local.get $plane) (local.get $planesEnd)))
            (local.set $digits (v128.load (local.get $plane)))
            (v128.store (local.get $plane) (v128.xor (local.get $digits) (local.get $carry)))
            (local.set $carry (v128.and (local.get $digits) (local.get $carry)))
            (local.set $plane (i32.add (local.get $plane) (i32.const 16)))
            (br_if $up (v128.any_true (local.get $carry)))))

        (local.set $next (i32.add (local.get $next) (i32.const 16)))
        (br_if $matrices (i32.lt_u (local.get $next) (local.get $listEnd))))
      (v128.store (local.get $planes) (local.get $ones))
      (v128.store offset=16 (local.get $planes) (local.get $twos))

      ;; A byte of each plane, the highest first, makes the counts of eight entries.
      (local.set $place (i32.const 0))
      (loop $eight
        (local.set $signs (v128.const i64x2 0 0))
        (local.set $plane (local.get $planesEnd))
        (loop $down
          (local.set $plane (i32.sub (local.get $plane) (i32.const 16)))
          (local.set $signs (i16x8.sub
            (i16x8.add (local.get $signs) (local.get $signs))
            ;; -1 where the bit is set.
            (i16x8.eq (local.get $bit) (v128.and (local.get $bit)
              (v128.load8_splat (i32.add (local.get $plane) (local.get $place)))))))
          (br_if $down (i32.gt_u (local.get $plane) (local.get $planes))))
        (local.set $signs (i16x8.sub (i16x8.add (local.get $signs) (local.get $signs)) (local.get $chosens)))

        (v128.store (local.get $target) (f32x4.add (v128.load (local.get $target))
          (f32x4.mul (local.get $shares) (f32x4.convert_i32x4_s (i32x4.extend_low_i16x8_s (local.get $signs))))))
        (v128.store offset=16 (local.get $target) (f32x4.add (v128.load offset=16 (local.get $target))
          (f32x4.mul (local.get $shares) (f32x4.convert_i32x4_s (i32x4.extend_high_i16x8_s (local.get $signs))))))
        (local.set $target (i32.add (local.get $target) (i32.const 32)))
        (local.set $place (i32.add (local.get $place) (i32.const 1)))
        (br_if $eight (i32.lt_u (local.get $place) (i32.const 16))))

      (local.set $byte (i32.add (local.get $byte) (i32.const 16)))
      (br_if $block (i32.lt_u (local.get $target) (local.get $end)))))

  ;; Adds the listed matrices' steps to each entry, each times its matrix's share. Blocks of 16.
  ;;
  ;; A share is a whole number of 30 bits times a unit that all of them have, and so the sums are of whole numbers, and exact:
  ;; two matrices at a time, one sum for the upper 15 bits of the shares and one for the lower.
  ;;
  ;; list       for each two matrices their addresses, then the upper halves of their shares, then the lower, 16 bits each;
  ;;            the sums have room for 512 matrices
  ;; listEnd    where the list ends
  ;; unitUpper  what the upper halves count, `2^15 · unitLower`
  (func (export "addSteps")
    (param $list i32) (param $listEnd i32) (param $unitUpper f32) (param $unitLower f32) (param $target i32) (param $entries i32)
    (local $byte i32) (local $next i32) (local $a i32) (local $b i32)
    (local $upper v128) (local $lower v128) (local $stepsA v128) (local $stepsB v128) (local $pairs v128)
    (local $unitsUpper v128) (local $unitsLower v128)
    (local $upper0 v128) (local $upper1 v128) (local $upper2 v128) (local $upper3 v128)
    (local $lower0 v128) (local $lower1 v128) (local $lower2 v128) (local $lower3 v128)

    (local.set $unitsUpper (f32x4.splat (local.get $unitUpper)))
    (local.set $unitsLower (f32x4.splat (local.get $unitLower)))

    (loop $block
      (local.set $upper0 (v128.const i64x2 0 0))
      (local.set $lower0 (v128.const i64x2 0 0))
      (local.set $upper1 (v128.const i64x2 0 0))
      (local.set $lower1 (v128.const i64x2 0 0))
      (local.set $upper2 (v128.const i64x2 0 0))
      (local.set $lower2 (v128.const i64x2 0 0))
      (local.set $upper3 (v128.const i64x2 0 0))
      (local.set $lower3 (v128.const i64x2 0 0))

      (local.set $next (local.get $list))
      (loop $matrices
        (local.set $a (i32.add (local.get $byte) (i32.load (local.get $next))))
        (local.set $b (i32.add (local.get $byte) (i32.load offset=4 (local.get $next))))
        (local.set $upper (v128.load32_splat offset=8 (local.get $next)))
        (local.set $lower (v128.load32_splat offset=12 (local.get $next)))

        (local.set $stepsA (v128.load8x8_s (local.get $a)))
        (local.set $stepsB (v128.load8x8_s (local.get $b)))
        (local.set $pairs (i8x16.shuffle 0 1 16 17 2 3 18 19 4 5 20 21 6 7 22 23 (local.get $stepsA) (local.get $stepsB)))
        (local.set $upper0 (i32x4.add (local.get $upper0) (i32x4.dot_i16x8_s (local.get $pairs) (local.get $upper))))
        (local.set $lower0 (i32x4.add (local.get $lower0) (i32x4.dot_i16x8_s (local.get $pairs) (local.get $lower))))
        (local.set $pairs (i8x16.shuffle 8 9 24 25 10 11 26 27 12 13 28 29 14 15 30 31 (local.get $stepsA) (local.get $stepsB)))
        (local.set $upper1 (i32x4.add (local.get $upper1) (i32x4.dot_i16x8_s (local.get $pairs) (local.get $upper))))
        (local.set $lower1 (i32x4.add (local.get $lower1) (i32x4.dot_i16x8_s (local.get $pairs) (local.get $lower))))

        (local.set $stepsA (v128.load8x8_s offset=8 (local.get $a)))
        (local.set $stepsB (v128.load8x8_s offset=8 (local.get $b)))
        (local.set $pairs (i8x16.shuffle 0 1 16 17 2 3 18 19 4 5 20 21 6 7 22 23 (local.get $stepsA) (local.get $stepsB)))
        (local.set $upper2 (i32x4.add (local.get $upper2) (i32x4.dot_i16x8_s (local.get $pairs) (local.get $upper))))
        (local.set $lower2 (i32x4.add (local.get $lower2) (i32x4.dot_i16x8_s (local.get $pairs) (local.get $lower))))
        (local.set $pairs (i8x16.shuffle 8 9 24 25 10 11 26 27 12 13 28 29 14 15 30 31 (local.get $stepsA) (local.get $stepsB)))
        (local.set $upper3 (i32x4.add (local.get $upper3) (i32x4.dot_i16x8_s (local.get $pairs) (local.get $upper))))
        (local.set $lower3 (i32x4.add (local.get $lower3) (i32x4.dot_i16x8_s (local.get $pairs) (local.get $lower))))

        (local.set $next (i32.add (local.get $next) (i32.const 16)))
        (br_if $matrices (i32.lt_u (local.get $next) (local.get $listEnd))))

      (v128.store (local.get $target) (f32x4.add (v128.load (local.get $target)) (f32x4.add
        (f32x4.mul (local.get $unitsUpper) (f32x4.convert_i32x4_s (local.get $upper0)))
        (f32x4.mul (local.get $unitsLower) (f32x4.convert_i32x4_s (local.get $lower0))))))
      (v128.store offset=16 (local.get $target) (f32x4.add (v128.load offset=16 (local.get $target)) (f32x4.add
        (f32x4.mul (local.get $unitsUpper) (f32x4.convert_i32x4_s (local.get $upper1)))
        (f32x4.mul (local.get $unitsLower) (f32x4.convert_i32x4_s (local.get $lower1))))))
      (v128.store offset=32 (local.get $target) (f32x4.add (v128.load offset=32 (local.get $target)) (f32x4.add
        (f32x4.mul (local.get $unitsUpper) (f32x4.convert_i32x4_s (local.get $upper2)))
        (f32x4.mul (local.get $unitsLower) (f32x4.convert_i32x4_s (local.get $lower2))))))
      (v128.store offset=48 (local.get $target) (f32x4.add (v128.load offset=48 (local.get $target)) (f32x4.add
        (f32x4.mul (local.get $unitsUpper) (f32x4.convert_i32x4_s (local.get $upper3)))
        (f32x4.mul (local.get $unitsLower) (f32x4.convert_i32x4_s (local.get $lower3))))))
      (local.set $byte (i32.add (local.get $byte) (i32.const 16)))
      (local.set $target (i32.add (local.get $target) (i32.const 64)))
      (br_if $block (i32.lt_u (local.get $byte) (local.get $entries)))))

  ;; Writes the LayerNorm of `bytes / 4` numbers at `source` to `target`, which may be the source.
  ;;
  ;; bytes  a multiple of 16
  ;; norm   the weight, then the bias, `bytes` each
  (func $normalize (param $source i32) (param $bytes i32) (param $norm i32) (param $epsilon f32) (param $target i32)
    (local $place i32) (local $count f32) (local $sums v128) (local $means v128) (local $factors v128)

    (local.set $count (f32.convert_i32_u (i32.shr_u (local.get $bytes) (i32.const 2))))
    (local.set $sums (v128.const i64x2 0 0))
    (loop $sum
      (local.set $sums (f32x4.add (local.get $sums) (v128.load (i32.add (local.get $source) (local.get $place)))))
      (local.set $place (i32.add (local.get $place) (i32.const 16)))
      (br_if $sum (i32.lt_u (local.get $place) (local.get $bytes))))
    (local.set $means (f32x4.splat (f32.div (call $total (local.get $sums)) (local.get $count))))

    (local.set $sums (v128.const i64x2 0 0))
    (local.set $place (i32.const 0))
    (loop $square
      (local.set $factors (f32x4.sub (v128.load (i32.add (local.get $source) (local.get $place))) (local.get $means)))
      (local.set $sums (f32x4.add (local.get $sums) (f32x4.mul (local.get $factors) (local.get $factors))))
      (local.set $place (i32.add (local.get $place) (i32.const 16)))
      (br_if $square (i32.lt_u (local.get $place) (local.get $bytes))))
    (local.set $factors (f32x4.splat (f32.div (f32.const 1) (f32.sqrt
      (f32.add (f32.div (call $total (local.get $sums)) (local.get $count)) (local.get $epsilon))))))

    (local.set $place (i32.const 0))
    (loop $write
      (v128.store (i32.add (local.get $target) (local.get $place)) (f32x4.add
        (v128.load (i32.add (i32.add (local.get $norm) (local.get $bytes)) (local.get $place)))
        (f32x4.mul
          (v128.load (i32.add (local.get $norm) (local.get $place)))
          (f32x4.mul (local.get $factors)
            (f32x4.sub (v128.load (i32.add (local.get $source) (local.get $place))) (local.get $means))))))
      (local.set $place (i32.add (local.get $place) (i32.const 16)))
      (br_if $write (i32.lt_u (local.get $place) (local.get $bytes)))))

  ;; Returns the sum of four numbers.
  (func $total (param $four v128) (result f32)
    (f32.add
      (f32.add (f32x4.extract_lane 0 (local.get $four)) (f32x4.extract_lane 1 (local.get $four)))
      (f32.add (f32x4.extract_lane 2 (local.get $four)) (f32x4.extract_lane 3 (local.get $four)))))

  ;; Adds the encoder's output at each token to `pooled`: `LN(r + relu(LN(LN(r) down)) up)` of the token's residual r.
  ;;
  ;; token       the residuals of some tokens, `hidden` bytes each
  ;; hidden      bytes of d numbers, a multiple of 16
  ;; bottleneck  bytes of b numbers, a multiple of 16
  ;; norm        weight and bias of the layer's last LayerNorm, `hidden` bytes each
  ;; unit        b ones, then b zeros
  ;; scratch     d numbers, then b numbers
  (func (export "addTail")
    (param $token i32) (param $tokensEnd i32) (param $hidden i32) (param $bottleneck i32)
    (param $norm i32) (param $epsilon f32) (param $unit i32) (param $unitEpsilon f32)
    (param $down i32) (param $up i32) (param $scratch i32) (param $pooled i32)
    (local $low i32) (local $column i32) (local $number i32) (local $entry i32) (local $place i32)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)

    (local.set $low (i32.add (local.get $scratch) (local.get $hidden)))
    (loop $tokens
      (call $normalize (local.get $token) (local.get $hidden) (local.get $norm) (local.get $epsilon) (local.get $scratch))

      ;; Four columns at a time. Four sums, of every fourth row, do not wait for each other.
      (local.set $column (i32.const 0))
      (loop $columns
        (local.set $a (v128.const i64x2 0 0))
        (local.set $b (v128.const i64x2 0 0))
        (local.set $c (v128.const i64x2 0 0))
        (local.set $d (v128.const i64x2 0 0))
        (local.set $number (local.get $scratch))
        (local.set $entry (i32.add (local.get $down) (local.get $column)))
        (loop $rows
          (local.set $a (f32x4.add (local.get $a)
            (f32x4.mul (v128.load32_splat (local.get $number)) (v128.load (local.get $entry)))))
          (local.set $entry (i32.add (local.get $entry) (local.get $bottleneck)))
          (local.set $b (f32x4.add (local.get $b)
            (f32x4.mul (v128.load32_splat offset=4 (local.get $number)) (v128.load (local.get $entry)))))
          (local.set $entry (i32.add (local.get $entry) (local.get $bottleneck)))
          (local.set $c (f32x4.add (local.get $c)
            (f32x4.mul (v128.load32_splat offset=8 (local.get $number)) (v128.load (local.get $entry)))))
          (local.set $entry (i32.add (local.get $entry) (local.get $bottleneck)))
          (local.set $d (f32x4.add (local.get $d)
            (f32x4.mul (v128.load32_splat offset=12 (local.get $number)) (v128.load (local.get $entry)))))
          (local.set $entry (i32.add (local.get $entry) (local.get $bottleneck)))
          (local.set $number (i32.add (local.get $number) (i32.const 16)))
          (br_if $rows (i32.lt_u (local.get $number) (local.get $low))))
        (v128.store (i32.add (local.get $low) (local.get $column)) (f32x4.add
          (f32x4.add (local.get $a) (local.get $b))
          (f32x4.add (local.get $c) (local.get $d))))
        (local.set $column (i32.add (local.get $column) (i32.const 16)))
        (br_if $columns (i32.lt_u (local.get $column) (local.get $bottleneck))))
      (call $normalize (local.get $low) (local.get $bottleneck) (local.get $unit) (local.get $unitEpsilon) (local.get $low))

      (memory.copy (local.get $scratch) (local.get $token) (local.get $hidden))
      (local.set $column (i32.const 0))
      (local.set $entry (local.get $up))
      (loop $raised
        (local.set $a (f32x4.max (v128.load32_splat (i32.add (local.get $low) (local.get $column))) (v128.const i64x2 0 0)))
        (local.set $place (local.get $scratch))
        (loop $numbers
          (v128.store (local.get $place) (f32x4.add (v128.load (local.get $place))
            (f32x4.mul (local.get $a) (v128.load (local.get $entry)))))
          (local.set $entry (i32.add (local.get $entry) (i32.const 16)))
          (local.set $place (i32.add (local.get $place) (i32.const 16)))
          (br_if $numbers (i32.lt_u (local.get $place) (local.get $low))))
        (local.set $column (i32.add (local.get $column) (i32.const 4)))
        (br_if $raised (i32.lt_u (local.get $column) (local.get $bottleneck))))
      (call $normalize (local.get $scratch) (local.get $hidden) (local.get $norm) (local.get $epsilon) (local.get $scratch))

      (local.set $place (i32.const 0))
      (loop $pool
        (v128.store (i32.add (local.get $pooled) (local.get $place)) (f32x4.add
          (v128.load (i32.add (local.get $pooled) (local.get $place)))
          (v128.load (i32.add (local.get $scratch) (local.get $place)))))
        (local.set $place (i32.add (local.get $place) (i32.const 16)))
        (br_if $pool (i32.lt_u (local.get $place) (local.get $hidden))))

      (local.set $token (i32.add (local.get $token) (local.get $hidden)))
      (br_if $tokens (i32.lt_u (local.get $token) (local.get $tokensEnd))))))
