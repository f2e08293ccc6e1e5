//! The identities of `design.md`: lossless, exactly as many parameters as promised, in the right order.
#![allow(clippy::unwrap_used)]

mod compression;
mod gauges;
mod lossless;
mod numerics;
mod shapes;

use faer::{Mat, MatRef};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::dense::{multiply, norm, threads, view};
use super::*;

fn seeded(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

fn random(rng: &mut StdRng, count: usize) -> Vec<f64> {
    (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
}

/// ‖a − b‖/‖a‖, or ‖b‖ for a zero matrix.
fn relative(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let difference = norm(a.iter().zip(b).map(|(x, y)| x - y));
    let size = norm(a.iter().copied());
    if size == 0.0 { difference } else { difference / size }
}

fn random_shape(rng: &mut StdRng) -> Shape {
    let order = rng.random_range(1..=6);
    loop {
        let factors = |rng: &mut StdRng| (0..order).map(|_| [1, 1, 1, 2, 2, 3, 4, 5][rng.random_range(0..8)]).collect();
        let shape = Shape::new(factors(rng), factors(rng)).unwrap();
        if shape.padded_rows() * shape.padded_cols() <= 2500 {
            return shape;
        }
    }
}

/// A size that fits the shape, up to a slab less one smaller than its products.
fn random_size(rng: &mut StdRng, shape: &Shape) -> (usize, usize) {
    let mut size = |padded: usize, first: usize| padded - rng.random_range(0..padded / first);
    (size(shape.padded_rows(), shape.row_factors()[0]), size(shape.padded_cols(), shape.col_factors()[0]))
}

/// What a checkpoint, or padding, may hold.
fn random_matrix(rng: &mut StdRng, rows: usize, cols: usize) -> Vec<f64> {
    let mut w = random(rng, rows * cols);
    match rng.random_range(0..9) {
        0 => w.fill(0.0),
        // Rank 1.
        1 => {
            let (a, b) = (random(rng, rows), random(rng, cols));
            w = (0..rows * cols).map(|k| a[k / cols] * b[k % cols]).collect();
        }
        2 => w[..rows / 2 * cols].fill(0.0),
        3 => w[rows / 2 * cols..].fill(0.0),
        4 => w.iter_mut().enumerate().filter(|(k, _)| k % cols >= cols / 2).for_each(|(_, x)| *x = 0.0),
        // Singular values over 24 orders of magnitude.
        5 => w.iter_mut().enumerate().for_each(|(k, x)| *x *= 10f64.powf(-24.0 * (k / cols) as f64 / rows as f64)),
        // One entry.
        6 => {
            let at = rng.random_range(0..w.len());
            w.iter_mut().enumerate().filter(|(k, _)| *k != at).for_each(|(_, x)| *x = 0.0);
        }
        _ => {}
    }
    w
}

/// The product of the cores before `bond`, `[N, d]`, or after it, transposed, `[N, d]`.
fn half(cores: &[Core], bond: usize, left: bool) -> Mat<f64> {
    let (mut product, mut width) = (vec![1.0], 1);
    if left {
        for core in &cores[..bond] {
            product = multiply(view(&product, product.len() / width), core.wide(), faer::Par::Seq);
            width = core.dims[3];
        }
        view(&product, product.len() / width).to_owned()
    } else {
        for core in cores[bond..].iter().rev() {
            product = multiply(core.tall(), view(&product, width), faer::Par::Seq);
            width = core.dims[0];
        }
        view(&product, width).transpose().to_owned()
    }
}

/// The largest deviation of AᵀA from diag(expected).
fn gram_error(a: &Mat<f64>, expected: &[f64]) -> f64 {
    let gram = a.transpose() * a;
    assert_eq!(gram.nrows(), expected.len());
    (Mat::from_fn(gram.nrows(), gram.nrows(), |r, c| gram[(r, c)] - if r == c { expected[r] } else { 0.0 })).norm_max()
}

fn oracle(x: &[f64], rows: usize) -> Vec<f64> {
    svd::jacobi(MatRef::from_row_major_slice(x, rows, x.len() / rows)).s
}
