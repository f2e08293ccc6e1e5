//! The fused operations against the same formulas composed from Burn's own, forward and backward.

use std::cell::RefCell;

use burn::tensor::{Device, Tensor};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.to_data().iter::<f32>().collect()
}

/// Norm of the difference: f32 sums in another order differ by a few 1e-7 of the norm, and where terms of size 1 cancel (GELU
/// far below 0 is x times 1 − almost 1), each element by a few 1e-7, whatever is left of it.
fn assert_close<const D: usize>(found: &Tensor<D>, expected: &Tensor<D>, what: &str) {
    let (a, b) = (values(found), values(expected));
    assert_eq!(a.len(), b.len(), "{what}");
    let square = |x: f32| f64::from(x) * f64::from(x);
    let error: f64 = a.iter().zip(&b).map(|(x, y)| square(x - y)).sum();
    let size: f64 = b.iter().map(|&x| square(x)).sum();
    let allowed = 2e-6 * size.sqrt() + 5e-7 * (a.len() as f64).sqrt();
    assert!(error.sqrt() <= allowed, "{what}: {} of {}", error.sqrt(), size.sqrt());
}

thread_local! {
    /// Each test has a thread of its own, and so always the same numbers.
    static NUMBERS: RefCell<StdRng> = RefCell::new(StdRng::seed_from_u64(1));
}

/// Between −4 and 4.
fn random<const D: usize>(dims: [usize; D]) -> Tensor<D> {
    let count = dims.iter().product();
    let values: Vec<f32> =
        NUMBERS.with_borrow_mut(|numbers| (0..count).map(|_| numbers.random_range(-4.0..4.0)).collect());
    Tensor::<1>::from_floats(values.as_slice(), &Device::flex()).reshape(dims)
}

/// Runs both on leaves with gradients, and compares outputs and the gradients of Σ output·weights.
fn compare<const N: usize, const D: usize, const E: usize>(
    inputs: [Tensor<D>; N],
    fused: impl Fn(&[Tensor<D>; N]) -> Tensor<E>,
    composed: impl Fn(&[Tensor<D>; N]) -> Tensor<E>,
    what: &str,
) {
    let run = |f: &dyn Fn(&[Tensor<D>; N]) -> Tensor<E>, weights: &Tensor<E>| {
        let leaves = inputs.clone().map(|x| x.autodiff().require_grad());
        let y = f(&leaves);
        let grads = (y.clone() * weights.clone().autodiff()).sum().backward();
        (y.inner(), leaves.map(|leaf| leaf.grad(&grads)))
    };
    let weights = random(composed(&inputs).dims());
    let (y, gradients) = run(&fused, &weights);
    let (expected, expected_gradients) = run(&composed, &weights);
    assert_close(&y, &expected, what);
    assert_close(&fused(&inputs), &expected, "without autodiff");
    for (k, (found, expected)) in gradients.into_iter().zip(expected_gradients).enumerate() {
        assert_close(&found.unwrap(), &expected.unwrap(), &format!("{what}: gradient {k}"));
    }
}

const DROPOUT: Dropout = Dropout { probability: 0.3, seed: 0x1234_5678_9ABC_DEF0 };

/// Dropout by multiplying with the mask that the counter gives.
fn masked<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let (mask, dims) = (Mask::new(DROPOUT), x.dims());
    let factors: Vec<f32> = (0..dims.iter().product::<usize>()).map(|k| mask.factor(k as u32)).collect();
    let mask = Tensor::<1>::from_data(factors.as_slice(), &Device::flex()).reshape(dims);
    x * mask
}

#[test]
fn gelu_and_dropout() {
    for dims in [[1, 1, 1], [3, 5, 7], [7, 90, 65]] {
        compare([random(dims)], |[x]| gelu(x.clone()), |[x]| burn_gelu(x.clone()), "gelu");
        compare([random(dims)], |[x]| dropout(x.clone(), Some(DROPOUT)), |[x]| masked(x.clone()), "dropout");
    }
    // A view that is not contiguous.
    let turned = random([40, 30]).swap_dims(0, 1);
    compare([turned], |[x]| gelu(x.clone()), |[x]| burn_gelu(x.clone()), "gelu of a view");
    let nan = gelu(Tensor::<1>::from_floats([f32::NAN], &Device::flex()));
    assert!(values(&nan)[0].is_nan());
}

#[test]
fn softmax_with_mask_and_dropout() {
    let bias = Tensor::<2>::from_floats([[0.0, 0.0, -1e4], [0.0, -1e4, -1e4]], &Device::flex()).reshape([2, 1, 1, 3]);
    let plain = |s: Tensor<4>| softmax(s * 0.4 + bias.clone(), 3);
    let scores = || random([2, 4, 3, 3]);
    compare([scores()], |[s]| attention_weights(s.clone(), bias.clone(), 0.4, None), |[s]| plain(s.clone()), "softmax");
    let with = |s: &Tensor<4>| attention_weights(s.clone(), bias.clone(), 0.4, Some(DROPOUT));
    compare([scores()], |[s]| with(s), |[s]| masked(plain(s.clone())), "softmax with dropout");
    let wide = random([1, 2, 150, 150]);
    let none = Tensor::zeros([1, 1, 1, 150], &Device::flex());
    let fused = |[s]: &[Tensor<4>; 1]| attention_weights(s.clone(), none.clone(), 0.1, None);
    compare([wide], fused, |[s]| softmax(s.clone() * 0.1, 3), "wide softmax");
}

#[test]
fn layer_norm_with_residual() {
    for (rows, row) in [(1, 1), (5, 13), (300, 384)] {
        // Scale and offset as rows of the same tensor type, so that their gradients are compared too.
        let vector = || random([1, row]);
        let flat = |t: &Tensor<2>| t.clone().reshape([row]);
        compare(
            [random([rows, row]), vector(), vector()],
            |[x, g, b]| layer_norm(x.clone(), flat(g), flat(b), 1e-5),
            |[x, g, b]| burn_layer_norm(x.clone(), flat(g), Some(flat(b)), 1e-5),
            "layer norm",
        );
        compare(
            [random([rows, row]), random([rows, row]), vector(), vector()],
            |[x, r, g, b]| add_dropout_layer_norm(x.clone(), r.clone(), Some(DROPOUT), flat(g), flat(b), 1e-5),
            |[x, r, g, b]| burn_layer_norm(masked(x.clone()) + r.clone(), flat(g), Some(flat(b)), 1e-5),
            "residual and dropout",
        );
    }
}

#[test]
fn linear_with_bias() {
    for (rows, input, output) in [(1, 1, 1), (7, 33, 5), (130, 64, 190)] {
        compare(
            [random([rows, input]), random([output, input]), random([1, output])],
            |[x, w, b]| linear(x.clone(), w.clone(), b.clone().reshape([output])),
            |[x, w, b]| x.clone().matmul(w.clone().transpose()) + b.clone(),
            "linear",
        );
    }
    let [x, w, b] = [random([2, 3, 4]).reshape([6, 4]), random([5, 4]), random([1, 5])];
    let three = linear(x.clone().reshape([2, 3, 4]), w.clone(), b.clone().reshape([5]));
    assert_close(&three.reshape([6, 5]), &(x.matmul(w.transpose()) + b), "three axes");
}

#[test]
fn adamw_is_torchs() {
    // import torch; p = torch.nn.Parameter(torch.tensor([1., -2., 3.]))
    // o = torch.optim.AdamW([p], lr=0.1, weight_decay=0.01)
    // for g in ([.5, -1., 0.], [-.25, 4., 1e-3]): p.grad = torch.tensor(g); o.step()
    // p.tolist()
    let device = Device::flex();
    let mut p = Tensor::<1>::from_floats([1.0, -2.0, 3.0], &device);
    let mut moments = None;
    for (step, g) in [[0.5, -1.0, 0.0], [-0.25, 4.0, 1e-3]].into_iter().enumerate() {
        let rule = AdamW {
            learning_rate: 0.1,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.01,
            step: step + 1,
            grad_scale: 0.5,
        };
        // Scaled back by `grad_scale`.
        let g = Tensor::<1>::from_floats(g, &device) * 2.0;
        let (next, state) = adamw(p, g, moments, &rule);
        (p, moments) = (next, Some(state));
    }
    for (found, expected) in values(&p).into_iter().zip(ADAMW_BY_TORCH) {
        assert!((found - expected).abs() < 2e-6, "{found} {expected}");
    }
}

const ADAMW_BY_TORCH: [f32; 3] = [0.8714674, -1.9520525, 2.9195905];

#[test]
fn the_norm_is_accurate() {
    let x = Tensor::<1>::full([3_000_000], 0.1, &Device::flex());
    // A naive f32 sum of so many terms is off by percents.
    let sum = values(&sum_of_squares(x))[0];
    assert!((sum / 30_000.0 - 1.0).abs() < 1e-6, "{sum}");
}
