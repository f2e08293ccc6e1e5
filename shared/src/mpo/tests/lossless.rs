use super::*;

#[test]
fn unfolding_is_lossless_in_every_gauge_and_counts_as_promised() {
    let mut rng = seeded(1);
    let mut worst: f64 = 0.0;
    for _ in 0..4000 {
        let shape = random_shape(&mut rng);
        let (rows, cols) = random_size(&mut rng, &shape);
        let w = random_matrix(&mut rng, rows, cols);
        for gauge in Gauge::ALL {
            let mpo = decompose(&w, rows, cols, &shape, gauge).unwrap();
            // f64 rounds at 1.1e-16; a few SVDs and products leave four digits.
            let error = relative(&w, &mpo.contract());
            worst = worst.max(error);
            assert!(error <= 1e-12, "{shape} {rows}x{cols} {gauge}: {error:e}");
            assert_eq!((mpo.rows(), mpo.cols(), mpo.shape()), (rows, cols, &shape));
            assert_eq!(mpo.bonds(), shape.bonds());
            assert_eq!(mpo.parameters(), shape.padded_rows() * shape.padded_cols() + shape.surplus());
            assert_eq!(mpo.parameters(), shape.parameters());
            let dims: Vec<[usize; 4]> = mpo.cores().iter().map(|core| core.dims).collect();
            assert_eq!(dims, shape.core_dims());
            // Stored in f32: rounding at 6e-8 per core, added over at most 6 cores.
            let rounded = mpo
                .cores()
                .iter()
                .map(|core| Core { dims: core.dims, data: core.data.iter().map(|&x| f64::from(x as f32)).collect() });
            let error = relative(&w, &Mpo::from_cores(rows, cols, rounded.collect()).unwrap().contract());
            assert!(error <= 2e-6, "{shape} {gauge} in f32: {error:e}");
        }
    }
    println!("worst relative error {worst:e}");
}

#[test]
fn a_size_as_in_real_models_is_lossless() {
    let mut rng = seeded(2);
    for text in ["16,1*4,12 x 16,1*4,12", "4,4,3,4 x 4,3,4,4", "12,1,16 x 4,4,12"] {
        let shape: Shape = text.parse().unwrap();
        let w = random(&mut rng, 192 * 192);
        for gauge in Gauge::ALL {
            let mpo = decompose(&w, 192, 192, &shape, gauge).unwrap();
            assert!(relative(&w, &mpo.contract()) <= 1e-12, "{text} {gauge}");
        }
    }
}

#[test]
fn extreme_scales_neither_overflow_nor_vanish() {
    let mut rng = seeded(3);
    let shape: Shape = "3,2,2 x 2,2,3".parse().unwrap();
    for scale in [1e-290, 1e-200, 1e200, 1e300] {
        let w: Vec<f64> = random(&mut rng, 144).into_iter().map(|x| x * scale).collect();
        for gauge in Gauge::ALL {
            let mpo = decompose(&w, 12, 12, &shape, gauge).unwrap();
            assert!(relative(&w, &mpo.contract()) <= 1e-12, "{scale:e} {gauge}");
        }
    }
}

#[test]
fn index_order_is_that_of_equation_9() {
    let mut rng = seeded(4);
    for _ in 0..100 {
        let shape = random_shape(&mut rng);
        let (rows, cols) = (shape.padded_rows(), shape.padded_cols());
        if rows * cols > 300 {
            continue;
        }
        let w = random(&mut rng, rows * cols);
        let mpo = decompose(&w, rows, cols, &shape, Gauge::Symmetric).unwrap();
        // First factor slowest.
        let digits = |mut index: usize, factors: &[usize]| {
            let mut digits: Vec<usize> = factors.iter().rev().map(|f| (index % f, index /= f).0).collect();
            digits.reverse();
            digits
        };
        for (row, col) in (0..rows).flat_map(|r| (0..cols).map(move |c| (r, c))) {
            let (i, j) = (digits(row, shape.row_factors()), digits(col, shape.col_factors()));
            // T₁[i₁,j₁]·…·T_m[i_m,j_m], entry by entry.
            let mut vector = vec![1.0];
            for (k, core) in mpo.cores().iter().enumerate() {
                let [left, _, columns, right] = core.dims;
                let entry = |a: usize, b: usize| core.data[((a * core.dims[1] + i[k]) * columns + j[k]) * right + b];
                vector = (0..right).map(|b| (0..left).map(|a| vector[a] * entry(a, b)).sum()).collect();
            }
            // Entries are below 1, sums of at most a few hundred terms.
            assert!((vector[0] - w[row * cols + col]).abs() < 1e-12, "{shape} at {row},{col}");
        }
    }
}

#[test]
fn interleaving_is_a_permutation_with_zero_padding() {
    let mut rng = seeded(5);
    for _ in 0..1000 {
        let shape = random_shape(&mut rng);
        let (rows, cols) = random_size(&mut rng, &shape);
        let w: Vec<f64> = (0..rows * cols).map(|k| k as f64 + 1.0).collect();
        let x = interleave(&w, rows, cols, &shape);
        assert_eq!(deinterleave(&x, rows, cols, &shape), w);
        let mut sorted = x;
        sorted.sort_by(f64::total_cmp);
        let padding = shape.padded_rows() * shape.padded_cols() - rows * cols;
        assert!(sorted[..padding].iter().all(|x| *x == 0.0));
        assert_eq!(sorted[padding..], w);
    }
    // By hand: rows (i₁,i₂), columns (j₁,j₂), both 2·2; X in the order i₁ j₁ i₂ j₂.
    let w: Vec<f64> = (0..16).map(f64::from).collect();
    let x = interleave(&w, 4, 4, &"2,2 x 2,2".parse().unwrap());
    assert_eq!(x, [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15].map(f64::from));
}

#[test]
fn many_matrices_at_once_are_each_as_alone() {
    let mut rng = seeded(6);
    let shapes: Vec<Shape> = (0..20).map(|_| random_shape(&mut rng)).collect();
    let matrices: Vec<Vec<f64>> =
        shapes.iter().map(|shape| random(&mut rng, shape.padded_rows() * shape.padded_cols())).collect();
    let jobs: Vec<Job<'_>> = matrices
        .iter()
        .zip(&shapes)
        .map(|(w, shape)| Job { w, rows: shape.padded_rows(), cols: shape.padded_cols(), shape, gauge: Gauge::Left })
        .collect();
    for (job, mpo) in jobs.iter().zip(decompose_all(&jobs)) {
        let mpo = mpo.unwrap();
        assert_eq!(mpo.shape(), job.shape);
        assert!(relative(job.w, &mpo.contract()) <= 1e-12);
    }
    let shape: Shape = "2,2 x 2,2".parse().unwrap();
    let right = Job { w: &[1.0; 16], rows: 4, cols: 4, shape: &shape, gauge: Gauge::Right };
    let results = decompose_all(&[right, Job { rows: 5, ..right }, right]);
    assert_eq!(results.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
}

#[test]
fn costs_are_those_of_the_products() {
    let shape: Shape = "4,1,2 x 4,1,2".parse().unwrap();
    // Bonds 4, 4. From the right: [4,4]·[4,4], then [16,4]·[4,4]; the other way the first product is larger.
    let cost = shape.contraction_cost();
    assert_eq!((cost.flops, cost.from_left), (2 * (4 * 4 * 4 + 16 * 4 * 4), false));
    // 64 values of X and 64 of W.
    assert_eq!(cost.peak_bytes, 8 * 128);
    let mirrored: Shape = "2,1,4 x 2,1,4".parse().unwrap();
    assert_eq!((mirrored.contraction_cost().flops, mirrored.contraction_cost().from_left), (cost.flops, true));
    // method.md §6.3: 33 GFLOP for the base model's FFN at order 11 from the cheaper end.
    let ffn = Shape::paper(3072, 768, 11).unwrap().contraction_cost();
    assert_eq!(ffn.flops, 2 * (9 * 1152u64.pow(3) + 2048 * 1152 * 1152));
    let mut rng = seeded(7);
    let w = random(&mut rng, 64);
    let mpo = decompose(&w, 8, 8, &shape, Gauge::Left).unwrap();
    assert_eq!(mpo.contraction_cost(), cost);
}
