//! The operations of a training step.
//!
//! Composed from Burn's tensor operations, so that they run, and differentiate, on every back end.

mod adamw;

use burn::tensor::activation::{gelu as burn_gelu, softmax};
use burn::tensor::module::{embedding as burn_embedding, layer_norm as burn_layer_norm};
use burn::tensor::{Int, Tensor, TensorData};

pub use adamw::{AdamW, Moments, adamw};

/// A dropout place: with `probability` an element is dropped; `seed` fixes which ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    /// Probability of dropping, in [0, 1).
    pub probability: f64,
    /// One for each place and step.
    pub seed: u64,
}

/// `x·Wᵀ + b`: `[.., in]` → `[.., out]` for a weight `[out, in]` and a bias `[out]`.
pub fn linear<const D: usize>(x: Tensor<D>, weight: Tensor<2>, bias: Tensor<1>) -> Tensor<D> {
    let [output, input] = weight.dims();
    let mut dims = x.dims();
    dims[D - 1] = output;
    // One matrix product over all leading axes.
    let flat = x.reshape([-1, input as i32]);
    (flat.matmul(weight.transpose()) + bias.unsqueeze()).reshape(dims)
}

/// GELU by the error function (Hendrycks and Gimpel, 2016): x·Φ(x), element by element.
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    burn_gelu(x)
}

/// Layer normalization over the last axis, with scale and offset `[hidden]`.
pub fn layer_norm<const D: usize>(x: Tensor<D>, gamma: Tensor<1>, beta: Tensor<1>, epsilon: f64) -> Tensor<D> {
    burn_layer_norm(x, gamma, Some(beta), epsilon)
}

/// Inverted dropout: drops elements and scales the others by 1/(1 − p).
pub fn dropout<const D: usize>(x: Tensor<D>, dropout: Option<Dropout>) -> Tensor<D> {
    let Some(dropout) = dropout else { return x };
    let dims = x.dims();
    let count: usize = dims.iter().product();
    let keep = 1.0 - dropout.probability;
    let threshold = (dropout.probability * 4_294_967_296.0) as u32;
    let scale = (1.0 / keep) as f32;
    let mut state = dropout.seed;
    let mask: Vec<f32> = (0..count)
        .map(|_| {
            state = crate::model::mix(state);
            if (state >> 32) as u32 >= threshold { scale } else { 0.0 }
        })
        .collect();
    let device = x.device();
    x * Tensor::from_data(TensorData::new(mask, dims.to_vec()), &device)
}

/// softmax(scores·scale + bias) over the last axis, with dropout.
///
/// `scores`: `[batch, heads, seq, seq]`; `mask_bias`: `[batch, 1, 1, seq]`, 0 or a large negative number.
pub fn attention_weights(scores: Tensor<4>, mask_bias: Tensor<4>, scale: f64, dropout: Option<Dropout>) -> Tensor<4> {
    self::dropout(softmax(scores * scale + mask_bias, 3), dropout)
}

/// Rows of a table: weight `[entries, hidden]`, ids `[batch, seq]` → `[batch, seq, hidden]`.
pub fn embedding(weight: Tensor<2>, ids: Tensor<2, Int>) -> Tensor<3> {
    burn_embedding(weight, ids)
}

/// Σx², `[1]`.
pub fn sum_of_squares(x: Tensor<1>) -> Tensor<1> {
    x.powi_scalar(2).sum()
}
