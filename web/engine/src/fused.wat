;; y = x·Wᵀ as `overfold`'s product for browsers computes it, dot products of two rows of x with four of W, but with the fused
;; multiply-add of relaxed SIMD, which not all browsers have: a module that names it is refused as a whole where it is unknown.
;; At the edges the last row is computed more than once.
(module
  (import "engine" "memory" (memory 0))

  (func $sum (param $v v128) (result f32)
    (f32.add
      (f32.add (f32x4.extract_lane 0 (local.get $v)) (f32x4.extract_lane 1 (local.get $v)))
      (f32.add (f32x4.extract_lane 2 (local.get $v)) (f32x4.extract_lane 3 (local.get $v)))))

  ;; The place of a row, or of the last one if there are fewer.
  (func $row (param $start i32) (param $row i32) (param $rows i32) (param $bytes i32) (result i32)
    (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
    (i32.add
      (local.get $start)
      (i32.mul
        (select (local.get $row) (local.get $rows) (i32.lt_u (local.get $row) (local.get $rows)))
        (local.get $bytes))))

  ;; x: rows × input, weight: output × input, y: rows × output, none of them empty; input a multiple of four.
  (func (export "product")
    (param $x i32) (param $weight i32) (param $y i32) (param $rows i32) (param $input i32) (param $output i32)
    (local $row i32) (local $column i32) (local $k i32) (local $line i32)
    (local $x0 i32) (local $x1 i32) (local $w0 i32) (local $w1 i32) (local $w2 i32) (local $w3 i32)
    (local $y0 i32) (local $y1 i32) (local $c1 i32) (local $c2 i32) (local $c3 i32)
    (local $a v128) (local $b0 v128) (local $b1 v128) (local $b2 v128) (local $b3 v128)
    (local $s0 v128) (local $s1 v128) (local $s2 v128) (local $s3 v128)
    (local $t0 v128) (local $t1 v128) (local $t2 v128) (local $t3 v128)
    ;; From here on in bytes.
    (local.set $input (i32.shl (local.get $input) (i32.const 2)))
    (local.set $line (i32.shl (local.get $output) (i32.const 2)))
    (loop $columns
      (local.set $w0 (call $row (local.get $weight) (local.get $column) (local.get $output) (local.get $input)))
      (local.set $w1 (call $row (local.get $weight) (i32.add (local.get $column) (i32.const 1)) (local.get $output) (local.get $input)))
      (local.set $w2 (call $row (local.get $weight) (i32.add (local.get $column) (i32.const 2)) (local.get $output) (local.get $input)))
      (local.set $w3 (call $row (local.get $weight) (i32.add (local.get $column) (i32.const 3)) (local.get $output) (local.get $input)))
      (local.set $c1 (call $row (i32.const 0) (i32.add (local.get $column) (i32.const 1)) (local.get $output) (i32.const 4)))
      (local.set $c2 (call $row (i32.const 0) (i32.add (local.get $column) (i32.const 2)) (local.get $output) (i32.const 4)))
      (local.set $c3 (call $row (i32.const 0) (i32.add (local.get $column) (i32.const 3)) (local.get $output) (i32.const 4)))
      (local.set $row (i32.const 0))
      (loop $rows_of_x
        (local.set $x0 (call $row (local.get $x) (local.get $row) (local.get $rows) (local.get $input)))
        (local.set $x1 (call $row (local.get $x) (i32.add (local.get $row) (i32.const 1)) (local.get $rows) (local.get $input)))
        (local.set $s0 (v128.const i64x2 0 0)) (local.set $s1 (v128.const i64x2 0 0))
        (local.set $s2 (v128.const i64x2 0 0)) (local.set $s3 (v128.const i64x2 0 0))
        (local.set $t0 (v128.const i64x2 0 0)) (local.set $t1 (v128.const i64x2 0 0))
        (local.set $t2 (v128.const i64x2 0 0)) (local.set $t3 (v128.const i64x2 0 0))
        (local.set $k (i32.const 0))
        (loop $terms
          (local.set $b0 (v128.load (i32.add (local.get $w0) (local.get $k))))
          (local.set $b1 (v128.load (i32.add (local.get $w1) (local.get $k))))
          (local.set $b2 (v128.load (i32.add (local.get $w2) (local.get $k))))
          (local.set $b3 (v128.load (i32.add (local.get $w3) (local.get $k))))
          (local.set $a (v128.load (i32.add (local.get $x0) (local.get $k))))
          (local.set $s0 (f32x4.relaxed_madd (local.get $a) (local.get $b0) (local.get $s0)))
          (local.set $s1 (f32x4.relaxed_madd (local.get $a) (local.get $b1) (local.get $s1)))
          (local.set $s2 (f32x4.relaxed_madd (local.get $a) (local.get $b2) (local.get $s2)))
          (local.set $s3 (f32x4.relaxed_madd (local.get $a) (local.get $b3) (local.get $s3)))
          (local.set $a (v128.load (i32.add (local.get $x1) (local.get $k))))
          (local.set $t0 (f32x4.relaxed_madd (local.get $a) (local.get $b0) (local.get $t0)))
          (local.set $t1 (f32x4.relaxed_madd (local.get $a) (local.get $b1) (local.get $t1)))
          (local.set $t2 (f32x4.relaxed_madd (local.get $a) (local.get $b2) (local.get $t2)))
          (local.set $t3 (f32x4.relaxed_madd (local.get $a) (local.get $b3) (local.get $t3)))
          (local.set $k (i32.add (local.get $k) (i32.const 16)))
          (br_if $terms (i32.lt_u (local.get $k) (local.get $input))))
        (local.set $y0 (call $row (local.get $y) (local.get $row) (local.get $rows) (local.get $line)))
        (local.set $y1 (call $row (local.get $y) (i32.add (local.get $row) (i32.const 1)) (local.get $rows) (local.get $line)))
        (f32.store (i32.add (local.get $y0) (i32.shl (local.get $column) (i32.const 2))) (call $sum (local.get $s0)))
        (f32.store (i32.add (local.get $y0) (local.get $c1)) (call $sum (local.get $s1)))
        (f32.store (i32.add (local.get $y0) (local.get $c2)) (call $sum (local.get $s2)))
        (f32.store (i32.add (local.get $y0) (local.get $c3)) (call $sum (local.get $s3)))
        (f32.store (i32.add (local.get $y1) (i32.shl (local.get $column) (i32.const 2))) (call $sum (local.get $t0)))
        (f32.store (i32.add (local.get $y1) (local.get $c1)) (call $sum (local.get $t1)))
        (f32.store (i32.add (local.get $y1) (local.get $c2)) (call $sum (local.get $t2)))
        (f32.store (i32.add (local.get $y1) (local.get $c3)) (call $sum (local.get $t3)))
        (local.set $row (i32.add (local.get $row) (i32.const 2)))
        (br_if $rows_of_x (i32.lt_u (local.get $row) (local.get $rows))))
      (local.set $column (i32.add (local.get $column) (i32.const 4)))
      (br_if $columns (i32.lt_u (local.get $column) (local.get $output))))))
