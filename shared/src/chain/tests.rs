//! The hand-written pull-back against autodiff and against finite differences, on every kind of shape.

use burn::tensor::{Device, Tensor, TensorData};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

/// Contracted from the left, from the right, without 1×1 factors, padded, the SVD, and a single core.
const CASES: [(&str, usize, usize); 6] = [
    ("3,1,1,2 x 4,1,1,3", 6, 12),
    ("2,1,3 x 2,1,4", 6, 8),
    ("2,3,2 x 3,2,2", 12, 12),
    ("4,1,3 x 3,1,2", 11, 5),
    ("4,3 x 3,2", 12, 6),
    ("5 x 4", 5, 4),
];

fn random(seed: u64, count: usize) -> Vec<f32> {
    let mut rng = StdRng::seed_from_u64(seed);
    (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
}

fn matrix(values: &[f32], rows: usize, cols: usize, device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values.to_vec(), [rows, cols]), device)
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

fn relative(found: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let square = |x: f64| x * x;
    let error: f64 = found.iter().zip(expected).map(|(a, b)| square(f64::from(a - b))).sum();
    (error / expected.iter().map(|&x| square(f64::from(x))).sum::<f64>()).sqrt()
}

fn chain(text: &str, rows: usize, cols: usize) -> (Chain, Vec<f32>) {
    let w = random(7, rows * cols);
    let mut chain = Chain::unfold(&w, rows, cols, &text.parse().unwrap(), Gauge::Symmetric, &Device::flex()).unwrap();
    // Away from the identities, where a mistake in their order would not show.
    let mut seed = 100;
    chain.update(|_, values| {
        seed += 1;
        let [count] = values.dims();
        let noise = random(seed, count).into_iter().map(|x| 0.3 * x).collect::<Vec<_>>();
        values + Tensor::from_data(TensorData::new(noise, [count]), &Device::flex())
    });
    (chain, w)
}

#[test]
fn unfolding_in_f32_is_lossless() {
    for (text, rows, cols) in CASES {
        for gauge in Gauge::ALL {
            let w = random(3, rows * cols);
            let mut chain = Chain::unfold(&w, rows, cols, &text.parse().unwrap(), gauge, &Device::flex()).unwrap();
            // f32 rounds at 6e-8 per core and product; the project's bar is 2e-6.
            let error = relative(&values(chain.contract()), &w);
            assert!(error < 2e-6, "{text} {gauge}: {error:e}");
        }
    }
}

#[test]
fn the_pull_back_equals_autodiff_through_an_explicit_chain() {
    let device = Device::flex().autodiff();
    for (text, rows, cols) in CASES {
        let (mut chain, _) = chain(text, rows, cols);
        let g = random(11, rows * cols);
        let ours = chain.pull_back(matrix(&g, rows, cols, &Device::flex()));
        // The same chain as leaves of an autodiff graph, contracted from the left without any of the code above.
        let leaves: Vec<Tensor<1>> =
            chain.cores().iter().map(|core| Tensor::from_data(core.values.to_data(), &device).require_grad()).collect();
        let mut product: Tensor<2> = Tensor::ones([1, 1], &device);
        for (core, leaf) in chain.cores().iter().zip(&leaves) {
            let [left, i, j, right] = core.dims;
            let mut factor = leaf.clone().reshape([left, i * j * right]);
            if core.plus_identity {
                factor = factor + Tensor::eye(left, &device);
            }
            product = product.matmul(factor).reshape([-1, right as i32]);
        }
        let shape = chain.shape().clone();
        let x = product.reshape([-1]);
        let padded: Vec<f64> = g.iter().map(|&v| f64::from(v)).collect();
        let weight: Vec<f32> = mpo::interleave(&padded, rows, cols, &shape).into_iter().map(|v| v as f32).collect();
        let count = weight.len();
        let weight: Tensor<1> = Tensor::from_data(TensorData::new(weight, [count]), &device);
        let gradients = (x * weight).sum().backward();
        for (k, (ours, leaf)) in ours.into_iter().zip(&leaves).enumerate() {
            let theirs = values(leaf.grad(&gradients).unwrap());
            let error = relative(&values(ours), &theirs);
            // Two orders of the same f32 products.
            assert!(error < 1e-5, "{text} core {k}: {error:e}");
        }
    }
}

#[test]
fn the_pull_back_equals_finite_differences_in_f64() {
    for (text, rows, cols) in CASES {
        let (mut chain, _) = chain(text, rows, cols);
        let g = random(12, rows * cols);
        let ours = chain.pull_back(matrix(&g, rows, cols, &Device::flex()));
        let exact = chain.to_mpo().unwrap();
        let inner = |cores: Vec<Core>| {
            let w = Mpo::from_cores(rows, cols, cores).unwrap().contract();
            w.iter().zip(&g).map(|(a, b)| a * f64::from(*b)).sum::<f64>()
        };
        for (k, ours) in ours.into_iter().enumerate() {
            let ours = values(ours);
            let theirs: Vec<f32> = (0..ours.len())
                .map(|at| {
                    let moved = |by: f64| {
                        let mut cores = exact.cores().to_vec();
                        cores[k].data[at] += by;
                        inner(cores)
                    };
                    // W is linear in every single core: the difference has no truncation error.
                    (moved(0.5) - moved(-0.5)) as f32
                })
                .collect();
            let error = relative(&ours, &theirs);
            assert!(error < 1e-5, "{text} core {k}: {error:e}");
        }
    }
}

#[test]
fn contraction_agrees_with_f64_and_partial_products_stay_valid() {
    for (text, rows, cols) in CASES {
        let (mut chain, _) = chain(text, rows, cols);
        let w = values(chain.contract());
        let exact: Vec<f32> = chain.to_mpo().unwrap().contract().into_iter().map(|x| x as f32).collect();
        assert!(relative(&w, &exact) < 1e-6, "{text}");
        // A pull-back reuses what the contraction left, and leaves it for the next.
        let g = matrix(&random(13, rows * cols), rows, cols, &Device::flex());
        let (first, second) = (chain.pull_back(g.clone()), chain.pull_back(g));
        assert!(first.into_iter().zip(second).all(|(a, b)| values(a) == values(b)));
    }
}
