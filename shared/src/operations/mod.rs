//! The operations of a training step.
//!
//! On the CPU back end they are fused and use all cores (`flex`); elsewhere they are composed from Burn's tensor
//! operations, which the GPU back ends fuse by themselves. Both give the same results, dropout masks included. A browser's
//! GPU, where nothing is fused, has its own matrix product (`webgpu`).

mod adamw;
#[cfg(feature = "flex")]
mod flex;
mod mask;
#[cfg(feature = "webgpu")]
mod webgpu;

use burn::tensor::activation::{gelu as burn_gelu, softmax};
use burn::tensor::module::{embedding as burn_embedding, layer_norm as burn_layer_norm};
use burn::tensor::{Device, Int, Tensor};

pub use adamw::{AdamW, Moments, adamw};
#[cfg(all(feature = "flex", target_family = "wasm"))]
pub use flex::{Product, set_product};
use mask::Mask;

/// A dropout place: with `probability` an element is dropped; `seed` fixes which ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    /// Probability of dropping, in [0, 1).
    pub probability: f64,
    /// One for each place and step.
    pub seed: u64,
}

/// Returns the result of a back end's own kernels where there is one.
macro_rules! own {
    ($feature:literal, $call:expr) => {
        #[cfg(feature = $feature)]
        if let Some(result) = $call {
            return result;
        }
    };
}

/// `x·Wᵀ + b`: `[.., in]` → `[.., out]` for a weight `[out, in]` and a bias `[out]`.
pub fn linear<const D: usize>(x: Tensor<D>, weight: Tensor<2>, bias: Tensor<1>) -> Tensor<D> {
    own!("flex", flex::linear(&x, &weight, &bias));
    own!("webgpu", webgpu::linear(&x, &weight, &bias));
    let [output, input] = weight.dims();
    let mut dims = x.dims();
    dims[D - 1] = output;
    // One matrix product over all leading axes.
    let flat = x.reshape([-1, input as i32]);
    (flat.matmul(weight.transpose()) + bias.unsqueeze()).reshape(dims)
}

/// GELU by the error function (Hendrycks and Gimpel, 2016): x·Φ(x), element by element.
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    own!("flex", flex::gelu(&x));
    burn_gelu(x)
}

/// Layer normalization over the last axis, with scale and offset `[hidden]`.
pub fn layer_norm<const D: usize>(x: Tensor<D>, gamma: Tensor<1>, beta: Tensor<1>, epsilon: f64) -> Tensor<D> {
    own!("flex", flex::layer_norm(&x, None, None, [&gamma, &beta], epsilon));
    burn_layer_norm(x, gamma, Some(beta), epsilon)
}

/// `layer_norm(dropout(x) + residual)`: the end of both halves of an encoder layer.
pub fn add_dropout_layer_norm<const D: usize>(
    x: Tensor<D>,
    residual: Tensor<D>,
    dropout: Option<Dropout>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
) -> Tensor<D> {
    own!("flex", flex::layer_norm(&x, Some(&residual), dropout, [&gamma, &beta], epsilon));
    burn_layer_norm(self::dropout(x, dropout) + residual, gamma, Some(beta), epsilon)
}

/// Inverted dropout: drops elements and scales the others by 1/(1 − p).
pub fn dropout<const D: usize>(x: Tensor<D>, dropout: Option<Dropout>) -> Tensor<D> {
    let Some(dropout) = dropout else { return x };
    own!("flex", flex::dropout(&x, dropout));
    let mask = Mask::new(dropout).tensor(x.dims(), &x.device());
    x * mask
}

/// softmax(scores·scale + bias) over the last axis, with dropout.
///
/// `scores`: `[batch, heads, queries, seq]`; `mask_bias`: `[batch, 1, 1, seq]`, 0 or a large negative number.
pub fn attention_weights(scores: Tensor<4>, mask_bias: Tensor<4>, scale: f64, dropout: Option<Dropout>) -> Tensor<4> {
    own!("flex", flex::attention_weights(&scores, &mask_bias, scale, dropout));
    self::dropout(softmax(scores * scale + mask_bias, 3), dropout)
}

/// Rows of a table: weight `[entries, hidden]`, ids `[batch, seq]` → `[batch, seq, hidden]`.
pub fn embedding(weight: Tensor<2>, ids: Tensor<2, Int>) -> Tensor<3> {
    burn_embedding(weight, ids)
}

/// Σx², `[1]`.
pub fn sum_of_squares(x: Tensor<1>) -> Tensor<1> {
    own!("flex", flex::sum_of_squares(&x));
    x.powi_scalar(2).sum()
}

impl Mask {
    /// The mask as a tensor: the same hash in 32-bit integer operations of the device.
    fn tensor<const D: usize>(self, dims: [usize; D], device: &Device) -> Tensor<D> {
        let count: usize = dims.iter().product();
        // Integers are signed there: a logical shift is an arithmetic one with the sign bits masked off.
        let xor_shift = |x: Tensor<1, Int>, by: u32| {
            let shifted = x.clone().bitwise_right_shift_scalar(by as i32).bitwise_and_scalar((u32::MAX >> by) as i32);
            x.bitwise_xor(shifted)
        };
        let times = |x: Tensor<1, Int>, factor: u32| x * factor as i32;
        let x = Tensor::<1, Int>::arange(0..count as i64, device);
        let x = times(x, mask::FACTORS[0]).bitwise_xor_scalar(self.seed[0] as i32);
        let x = xor_shift(times(xor_shift(x, 16), mask::FACTORS[1]), 15);
        let x = xor_shift(times(x.bitwise_xor_scalar(self.seed[1] as i32), mask::FACTORS[2]), 15);
        // Flipping the sign bit turns an unsigned comparison into a signed one.
        let flip = |x: u32| (x ^ 0x8000_0000) as i32;
        let keep = x.bitwise_xor_scalar(i32::MIN).greater_equal_elem(flip(self.threshold));
        (keep.float() * self.scale).reshape(dims)
    }
}

#[cfg(test)]
#[cfg(feature = "training")]
mod tests;
