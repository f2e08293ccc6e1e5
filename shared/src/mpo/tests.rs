//! The identities of `design`: lossless, exactly as many parameters as promised, in the right order.

use faer::MatRef;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::svd::{jacobi, svd};
use super::*;

fn random(rng: &mut StdRng, count: usize) -> Vec<f64> {
    (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
}

fn relative(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|v| v * v).sum::<f64>().sqrt();
    let difference = norm(&mut a.iter().zip(b).map(|(x, y)| x - y));
    let size = norm(&mut a.iter().copied());
    if size == 0.0 { difference } else { difference / size }
}

fn random_shape(rng: &mut StdRng) -> Shape {
    let order = rng.random_range(1..=5);
    loop {
        let factors = |rng: &mut StdRng| (0..order).map(|_| [1, 1, 2, 2, 3, 4, 5][rng.random_range(0..7)]).collect();
        let shape = Shape::new(factors(rng), factors(rng)).unwrap();
        if shape.padded_rows() * shape.padded_cols() <= 4000 {
            return shape;
        }
    }
}

/// Full rank, rank 1, zero, or with zero rows: what a checkpoint, or padding, may hold.
fn random_matrix(rng: &mut StdRng, rows: usize, cols: usize) -> Vec<f64> {
    match rng.random_range(0..6) {
        0 => vec![0.0; rows * cols],
        1 => {
            let (a, b) = (random(rng, rows), random(rng, cols));
            (0..rows * cols).map(|k| a[k / cols] * b[k % cols]).collect()
        }
        2 => {
            let mut w = random(rng, rows * cols);
            w[..rows / 2 * cols].fill(0.0);
            w
        }
        _ => random(rng, rows * cols),
    }
}

#[test]
fn unfolding_is_lossless_in_every_gauge_and_counts_as_promised() {
    let mut rng = StdRng::seed_from_u64(1);
    for _ in 0..3000 {
        let shape = random_shape(&mut rng);
        // Up to one slab of padding on each side.
        let slab = |padded: usize, first: usize| (padded / first).saturating_sub(1).min(padded - 1);
        let rows = shape.padded_rows() - rng.random_range(0..=slab(shape.padded_rows(), shape.row_factors()[0]));
        let cols = shape.padded_cols() - rng.random_range(0..=slab(shape.padded_cols(), shape.col_factors()[0]));
        let w = random_matrix(&mut rng, rows, cols);
        for gauge in Gauge::ALL {
            let mpo = decompose(&w, rows, cols, &shape, gauge).unwrap();
            assert!(mpo.cores().iter().all(|core| core.data.iter().all(|x| x.is_finite())));
            // f64 rounds at 1.1e-16; a few SVDs and products leave four digits.
            let error = relative(&w, &mpo.contract());
            assert!(error <= 1e-12, "{shape} {rows}x{cols} {gauge}: {error:e}");
            assert_eq!(mpo.bonds(), shape.bonds());
            assert_eq!(mpo.parameters(), shape.padded_rows() * shape.padded_cols() + shape.surplus());
            assert_eq!(mpo.parameters(), shape.parameters());
            // Stored in f32: rounding at 6e-8 per core, added over the cores.
            let rounded = mpo.cores().iter().map(|core| Core {
                dims: core.dims,
                data: core.data.iter().map(|&x| f64::from(x as f32)).collect(),
            });
            let error = relative(&w, &Mpo::from_cores(rows, cols, rounded.collect()).unwrap().contract());
            assert!(error <= 2e-6, "{shape} {gauge} in f32: {error:e}");
        }
    }
}

#[test]
fn index_order_is_that_of_equation_9() {
    let mut rng = StdRng::seed_from_u64(2);
    let shape: Shape = "2,3,2 x 3,1,2".parse().unwrap();
    let w = random(&mut rng, 12 * 6);
    let mpo = decompose(&w, 12, 6, &shape, Gauge::Symmetric).unwrap();
    let core = |k: usize, a: usize, i: usize, j: usize, b: usize| {
        let core = &mpo.cores()[k];
        core.data[((a * core.dims[1] + i) * core.dims[2] + j) * core.dims[3] + b]
    };
    let bonds = mpo.bonds();
    for (row, col) in (0..12).flat_map(|r| (0..6).map(move |c| (r, c))) {
        // First factor slowest.
        let (i1, i2, i3) = (row / 6, row / 2 % 3, row % 2);
        let (j1, j2, j3) = (col / 2, 0, col % 2);
        let mut sum = 0.0;
        for (a, b) in (0..bonds[0]).flat_map(|a| (0..bonds[1]).map(move |b| (a, b))) {
            sum += core(0, 0, i1, j1, a) * core(1, a, i2, j2, b) * core(2, b, i3, j3, 0);
        }
        assert!((sum - w[row * 6 + col]).abs() < 1e-13);
    }
}

#[test]
fn interleaving_is_a_permutation_with_zero_padding() {
    let mut rng = StdRng::seed_from_u64(3);
    for _ in 0..500 {
        let shape = random_shape(&mut rng);
        let (rows, cols) = (shape.padded_rows(), shape.padded_cols());
        let w: Vec<f64> = (0..rows * cols).map(|k| k as f64 + 1.0).collect();
        let x = interleave(&w, rows, cols, &shape);
        assert_eq!(deinterleave(&x, rows, cols, &shape), w);
        let mut sorted = x;
        sorted.sort_by(f64::total_cmp);
        assert_eq!(sorted, w);
    }
}

#[test]
fn the_papers_shapes_have_identities_in_the_middle() {
    let mut rng = StdRng::seed_from_u64(4);
    let shape = Shape::paper(24, 36, 5).unwrap();
    let mpo = decompose(&random(&mut rng, 24 * 36), 24, 36, &shape, Gauge::Symmetric).unwrap();
    for core in &mpo.cores()[1..4] {
        let d = core.dims[0];
        for (k, &x) in core.data.iter().enumerate() {
            assert_eq!(x, if k / d == k % d { 1.0 } else { 0.0 });
        }
    }
}

#[test]
fn the_symmetric_gauge_has_the_spectrum_on_both_sides_of_every_bond() {
    let mut rng = StdRng::seed_from_u64(5);
    for text in ["3,2,4 x 2,3,3", "4,1,1,3 x 3,1,1,4", "2,2,2,2 x 2,2,2,2"] {
        let shape: Shape = text.parse().unwrap();
        let (rows, cols) = (shape.padded_rows(), shape.padded_cols());
        let w = random(&mut rng, rows * cols);
        let mpo = decompose(&w, rows, cols, &shape, Gauge::Symmetric).unwrap();
        let spectra = spectra(&w, rows, cols, &shape).unwrap();
        // Gram matrix of the product of the cores left of each bond.
        let mut product = vec![1.0];
        let mut left = 1;
        for (core, spectrum) in mpo.cores().iter().zip(&spectra) {
            let next = MatRef::from_row_major_slice(&product, product.len() / left, left) * core.matrix(left);
            product = super::contract::to_row_major(&next);
            left = core.dims[3];
            let p = MatRef::from_row_major_slice(&product, product.len() / left, left);
            let gram = p.transpose() * p;
            for (r, c) in (0..left).flat_map(|r| (0..left).map(move |c| (r, c))) {
                let expected = if r == c { spectrum[r] } else { 0.0 };
                assert!((gram[(r, c)] - expected).abs() < 1e-10, "{text}: {} {expected}", gram[(r, c)]);
            }
        }
        for (ours, theirs) in mpo.spectra().iter().zip(&spectra) {
            assert!(relative(theirs, ours) < 1e-12);
        }
    }
}

#[test]
fn two_cores_are_the_svd_and_truncate_optimally() {
    let mut rng = StdRng::seed_from_u64(6);
    let shape = Shape::paper(20, 12, 2).unwrap();
    let w = random(&mut rng, 240);
    let mpo = decompose(&w, 20, 12, &shape, Gauge::Symmetric).unwrap();
    let x = interleave(&w, 20, 12, &shape);
    let oracle = jacobi(MatRef::from_row_major_slice(&x, shape.external().next().unwrap(), mpo.bonds()[0].max(12)));
    assert!(relative(&oracle.s, &mpo.spectra()[0]) < 1e-12);
    for rank in 1..=12 {
        let truncated = mpo.truncate(Truncation::Rank(rank));
        // Eckart and Young: no matrix of this rank is nearer.
        let best = oracle.s[rank..].iter().map(|s| s * s).sum::<f64>().sqrt();
        assert!((truncated.error - best).abs() < 1e-12 && (truncated.bound - best).abs() < 1e-12);
    }
}

#[test]
fn truncation_keeps_its_bound() {
    let mut rng = StdRng::seed_from_u64(7);
    for _ in 0..300 {
        let shape = random_shape(&mut rng);
        let (rows, cols) = (shape.padded_rows(), shape.padded_cols());
        let w = random_matrix(&mut rng, rows, cols);
        let mpo = decompose(&w, rows, cols, &shape, Gauge::Balanced).unwrap();
        for truncation in [Truncation::Rank(rng.random_range(1..6)), Truncation::Error(rng.random_range(0.0..0.9))] {
            let truncated = mpo.truncate(truncation);
            assert!(truncated.error <= truncated.bound * (1.0 + 1e-9) + 1e-12 * truncated.norm, "{shape}");
            match truncation {
                Truncation::Rank(rank) => assert!(truncated.mpo.bonds().iter().all(|&d| d <= rank)),
                Truncation::Error(relative) => assert!(truncated.bound <= relative * truncated.norm * (1.0 + 1e-9)),
            }
        }
        let all = mpo.truncate(Truncation::Rank(usize::MAX));
        assert!(all.error <= 1e-12 * all.norm.max(1e-300));
    }
}

#[test]
fn the_slow_svd_agrees_with_the_fast_one() {
    let mut rng = StdRng::seed_from_u64(8);
    for _ in 0..200 {
        let (rows, cols) = (rng.random_range(1..12), rng.random_range(1..12));
        let w = random_matrix(&mut rng, rows, cols);
        let a = MatRef::from_row_major_slice(&w, rows, cols);
        let (fast, slow) = (svd(a), jacobi(a));
        assert!(fast.s.iter().zip(&slow.s).all(|(x, y)| (x - y).abs() < 1e-12 * (1.0 + fast.s[0])));
        let gram = slow.u.transpose() * &slow.u;
        for (r, c) in (0..gram.nrows()).flat_map(|r| (0..gram.nrows()).map(move |c| (r, c))) {
            assert!((gram[(r, c)] - if r == c { 1.0 } else { 0.0 }).abs() < 1e-12);
        }
    }
}

#[test]
fn the_same_matrix_gives_the_same_bits() {
    let w = random(&mut StdRng::seed_from_u64(9), 64 * 48);
    let shape = Shape::balanced(64, 48, 4).unwrap();
    let once = decompose(&w, 64, 48, &shape, Gauge::Symmetric).unwrap();
    assert_eq!(once, decompose(&w, 64, 48, &shape, Gauge::Symmetric).unwrap());
}

#[test]
fn paper_shapes_and_their_counts() {
    // (rows, cols, cores, bond, parameters): method.md, counted from the authors' tables.
    for (rows, cols, cores, bond, parameters) in [
        (768, 768, 2, 576, 921_600),
        (768, 768, 3, 576, 1_253_376),
        (768, 768, 11, 576, 3_907_584),
        (768, 768, 15, 576, 5_234_688),
        (3072, 768, 5, 1152, 7_667_712),
        (3072, 768, 11, 1152, 15_630_336),
        (1024, 1024, 11, 1024, 11 * 1024 * 1024),
    ] {
        let shape = Shape::paper(rows, cols, cores).unwrap();
        assert_eq!((shape.bonds()[0], shape.parameters()), (bond, parameters), "{shape}");
    }
    for (text, bonds, parameters) in [
        ("8,12,8 x 8,12,8", vec![64, 64], 598_016),
        ("4,4,3,4,4 x 4,4,3,4,4", vec![16, 256, 256, 16], 721_408),
        ("8,2*4,6 x 8,2*4,6", vec![64, 256, 576, 144, 36], 1_013_264),
        ("2,4,4,3,2*3 x 2,4,4,3,2*3", vec![4, 64, 576, 64, 16, 4], 930_080),
    ] {
        let shape: Shape = text.parse().unwrap();
        assert_eq!((shape.bonds(), shape.parameters(), shape.to_string()), (bonds, parameters, text.to_owned()));
    }
    assert_eq!(Shape::paper(384, 1536, 11).unwrap().to_string(), "24,1*9,16 x 48,1*9,32");
    assert_eq!(Shape::paper(7, 13, 3).unwrap().to_string(), "4,1,2 x 7,1,2");
    assert_eq!(Shape::balanced(768, 768, 4).unwrap().padded_rows(), 768);
}

#[test]
fn errors_name_what_is_wrong() {
    let message = |text: &str| text.parse::<Shape>().unwrap_err().to_string();
    assert!(message("24,16").contains("no ` x `"));
    assert!(message("2,b x 2,2").contains("`b` is not a factor"));
    assert!(message("2,2 x 4").contains("2 row factors and 1 column factors"));
    assert!(message("2,0 x 2,2").contains("factor 2 of the rows is 0"));
    assert!(message("2*9999 x 2").contains("more than 1000"));
    let shape: Shape = "5,2 x 3,2".parse().unwrap();
    let error = shape.check(12, 6).unwrap_err().to_string();
    assert!(error.contains("rows [5, 2] multiply to 10, but the matrix has 12 rows"), "{error}");
    assert!(shape.check(8, 6).is_err(), "a whole slab of padding");
    assert!(shape.check(9, 5).is_ok());
    let nan = decompose(&[1.0, f64::NAN], 1, 2, &"1 x 2".parse().unwrap(), Gauge::Left).unwrap_err();
    assert!(nan.to_string().contains("NaN at row 0, column 1"));
}

#[test]
fn entropy_of_known_spectra() {
    assert_eq!(entropy(&[3.0, 0.0]), 0.0);
    assert_eq!(entropy(&[0.0, 0.0]), 0.0);
    assert!((entropy(&[2.0; 8]) - 8f64.ln()).abs() < 1e-15);
}
