//! The operations on the CPU back end, fused and on all cores, with backward passes written by hand.
//!
//! Each function takes tensors with or without autodiff and returns `None` where it does not apply (another back end,
//! another number type); the caller then composes the operation from Burn's own. Gradients are those of the formulas in
//! [`super`]; tests compare both paths.

mod kernels;
mod normal;
#[cfg(any(test, target_family = "wasm"))]
mod product;
#[cfg(not(feature = "parallel"))]
mod sequential;
#[cfg(feature = "training")]
mod tape;
#[cfg(not(feature = "training"))]
#[path = "untaped.rs"]
mod tape;

use burn::backend::flex::{FlexTensor, Layout};
use burn::backend::{DType, Flex};
use burn::tensor::{Shape, Tensor};

#[cfg(target_family = "wasm")]
pub use product::{Product, set_product};

use super::mask::Mask;
use super::{AdamW, Dropout, Moments};
use tape::{Value, record};

/// A contiguous f32 copy of a tensor's values that may be changed in place; no copy if nobody else holds them.
fn owned(tensor: FlexTensor) -> FlexTensor {
    if tensor.is_contiguous() && tensor.as_slice::<f32>().is_some_and(|s| s.len() == tensor.storage::<f32>().len()) {
        tensor
    } else {
        tensor.to_contiguous()
    }
}

fn slice(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().unwrap_or_default()
}

fn from_vec(values: Vec<f32>, shape: Shape) -> FlexTensor {
    FlexTensor::from_data(burn::tensor::TensorData::new(values, shape))
}

fn reshaped(tensor: FlexTensor, dims: &[usize]) -> FlexTensor {
    FlexTensor::from_arc(tensor.data_arc(), Layout::contiguous(Shape::from(dims.to_vec())), DType::F32)
}

/// See [`super::gelu`].
pub(super) fn gelu<const D: usize>(x: &Tensor<D>) -> Option<Tensor<D>> {
    let input = Value::of(x)?;
    let primitive = owned(input.primitive());
    let mut y = vec![0.0; slice(&primitive).len()];
    kernels::gelu(slice(&primitive), &mut y);
    let y = from_vec(y, Shape::from(x.dims()));
    Some(record([input], y, move |dy, _| {
        let mut dy = owned(dy);
        kernels::gelu_backward(slice(&primitive), dy.storage_mut());
        [Some(dy)]
    }))
}

/// See [`super::dropout`].
pub(super) fn dropout<const D: usize>(x: &Tensor<D>, dropout: Dropout) -> Option<Tensor<D>> {
    let input = Value::of(x)?;
    let mask = Mask::new(dropout);
    let apply = move |tensor: FlexTensor| {
        let mut tensor = owned(tensor);
        kernels::dropout(tensor.storage_mut(), mask);
        tensor
    };
    let y = apply(input.primitive());
    Some(record([input], y, move |dy, _| [Some(apply(dy))]))
}

/// See [`super::attention_weights`].
pub(super) fn attention_weights(
    scores: &Tensor<4>,
    mask_bias: &Tensor<4>,
    scale: f64,
    dropout: Option<Dropout>,
) -> Option<Tensor<4>> {
    let input = Value::of(scores)?;
    let [_, heads, queries, seq] = scores.dims();
    let bias = owned(Value::of(mask_bias)?.primitive());
    let mut p = owned(input.primitive());
    kernels::softmax(p.storage_mut(), slice(&bias), seq, heads * queries, scale as f32);
    let mask = dropout.map(Mask::new);
    let mut y = p.clone();
    if let Some(mask) = mask {
        kernels::dropout(y.storage_mut(), mask);
    }
    Some(record([input], y, move |dy, _| {
        let mut dy = owned(dy);
        kernels::softmax_backward(slice(&p), dy.storage_mut(), seq, scale as f32, mask);
        [Some(dy)]
    }))
}

/// See [`super::add_dropout_layer_norm`]; without a residual, plain layer normalization.
pub(super) fn layer_norm<const D: usize>(
    x: &Tensor<D>,
    residual: Option<&Tensor<D>>,
    dropout: Option<Dropout>,
    [gamma, beta]: [&Tensor<1>; 2],
    epsilon: f64,
) -> Option<Tensor<D>> {
    let input = Value::of(x)?;
    let (gamma, beta) = (Value::of(gamma)?, Value::of(beta)?);
    let mask = dropout.map(Mask::new);
    let mut normed = owned(input.primitive());
    let residual = match residual {
        Some(residual) => Some(Value::of(residual)?),
        None => None,
    };
    if let Some(residual) = &residual {
        kernels::dropout_add(normed.storage_mut(), slice(&owned(residual.primitive())), mask);
    }
    let (scale, offset) = (owned(gamma.primitive()), owned(beta.primitive()));
    let row = slice(&scale).len();
    let rows = slice(&normed).len() / row;
    let (mut y, mut rstd) = (vec![0.0; rows * row], vec![0.0; rows]);
    kernels::layer_norm(normed.storage_mut(), &mut y, &mut rstd, slice(&scale), slice(&offset), epsilon as f32);
    let y = from_vec(y, Shape::from(x.dims()));
    // Without a residual there is nothing to drop in: the mask belongs to the sum.
    let has_residual = residual.is_some();
    let inputs = [Some(input), residual, Some(gamma), Some(beta)];
    let backward = move |dy: FlexTensor, _: [bool; 4]| {
        let mut dx = owned(dy);
        let (dgamma, dbeta) = kernels::layer_norm_backward(slice(&normed), dx.storage_mut(), &rstd, slice(&scale));
        let dresidual = has_residual.then(|| dx.clone());
        if let (true, Some(mask)) = (has_residual, mask) {
            kernels::dropout(dx.storage_mut(), mask);
        }
        let vector = |values: Vec<f32>| Some(from_vec(values, Shape::from([row])));
        [Some(dx), dresidual, vector(dgamma), vector(dbeta)]
    };
    Some(tape::record_optional(inputs, y, backward))
}

/// See [`super::linear`].
pub(super) fn linear<const D: usize>(x: &Tensor<D>, weight: &Tensor<2>, bias: &Tensor<1>) -> Option<Tensor<D>> {
    use burn::backend::ops::FloatTensorOps;
    let inputs = [Value::of(x)?, Value::of(weight)?, Value::of(bias)?];
    let [output, input] = weight.dims();
    let mut dims = x.dims();
    let rows = dims.iter().product::<usize>() / input;
    let flat = reshaped(owned(inputs[0].primitive()), &[rows, input]);
    let w = inputs[1].primitive();
    #[cfg(target_family = "wasm")]
    let mut y = from_vec(product::product(slice(&flat), slice(&owned(w.clone())), input), [rows, output].into());
    #[cfg(not(target_family = "wasm"))]
    let mut y = owned(Flex::float_matmul(flat.clone(), Flex::float_transpose(w.clone())));
    kernels::add_bias(y.storage_mut(), slice(&owned(inputs[2].primitive())));
    let x_dims = x.dims();
    dims[D - 1] = output;
    let y = reshaped(y, &dims);
    Some(record(inputs, y, move |dy, needed| {
        let dy = reshaped(owned(dy), &[rows, output]);
        let dx = needed[0].then(|| reshaped(owned(Flex::float_matmul(dy.clone(), w.clone())), &x_dims));
        let dw = needed[1].then(|| Flex::float_matmul(Flex::float_transpose(dy.clone()), flat.clone()));
        let db = needed[2].then(|| from_vec(kernels::sum_rows(slice(&dy), output), Shape::from([output])));
        [dx, dw, db]
    }))
}

/// Whether [`adamw`] applies: everything lies on the CPU in f32, without autodiff.
pub(super) fn steps(parameter: &Tensor<1>, gradient: &Tensor<1>, moments: Option<&Moments>) -> bool {
    let state = moments.into_iter().flat_map(|m| [&m.first, &m.second]);
    [parameter, gradient].into_iter().chain(state).all(|tensor| Value::plain(tensor).is_some())
}

/// See [`super::adamw`]; one pass, in place. To be called where [`steps`] holds.
pub(super) fn adamw(
    parameter: Tensor<1>,
    gradient: Tensor<1>,
    moments: Option<Moments>,
    rule: &AdamW,
) -> (Tensor<1>, Moments) {
    let count = parameter.dims()[0];
    let zeros = || Tensor::from_primitive::<Flex>(from_vec(vec![0.0; count], Shape::from([count])));
    let moments = moments.unwrap_or_else(|| Moments { first: zeros(), second: zeros() });
    // Taken out of their tensors, so that nobody else holds them and they can be changed in place.
    let take = |tensor: Tensor<1>| {
        owned(tensor.try_into_primitive::<Flex>().unwrap_or_else(|_| FlexTensor::zeros([0].into(), DType::F32)))
    };
    let (mut p, g, mut m, mut v) = (take(parameter), take(gradient), take(moments.first), take(moments.second));
    let correct = |beta: f64| 1.0 - beta.powi(rule.step as i32);
    let step = kernels::Step {
        scale: rule.grad_scale as f32,
        beta1: rule.beta1 as f32,
        beta2: rule.beta2 as f32,
        rate: (rule.learning_rate / correct(rule.beta1)) as f32,
        root: (1.0 / correct(rule.beta2).sqrt()) as f32,
        epsilon: rule.epsilon as f32,
        keep: (1.0 - rule.learning_rate * rule.weight_decay) as f32,
    };
    kernels::adamw(p.storage_mut(), slice(&g), m.storage_mut(), v.storage_mut(), step);
    let wrap = Tensor::from_primitive::<Flex>;
    (wrap(p), Moments { first: wrap(m), second: wrap(v) })
}

/// See [`super::sum_of_squares`].
pub(super) fn sum_of_squares(x: &Tensor<1>) -> Option<Tensor<1>> {
    let x = owned(Value::plain(x)?);
    let sum = kernels::sum_of_squares(slice(&x));
    Some(Tensor::from_primitive::<Flex>(from_vec(vec![sum as f32], Shape::from([1]))))
}
