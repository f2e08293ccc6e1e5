//! Linear map, layer normalization and embedding with parameters laid out as in PyTorch.

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::{Device, Distribution, Int, Shape, Tensor};

use crate::operations::{self, Dropout};

/// How a fresh parameter is filled.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fill {
    Constant(f32),
    /// Normal distribution with this standard deviation.
    Normal(f64),
}

/// A parameter that is filled when first read, so that a checkpoint's values replace it at no cost.
pub(crate) fn parameter<const D: usize>(shape: [usize; D], fill: Fill, device: &Device) -> Param<Tensor<D>> {
    Param::uninitialized(
        ParamId::new(),
        move |device, require_grad| {
            let value = match fill {
                Fill::Constant(value) => Tensor::full(shape, value, device),
                Fill::Normal(std) => Tensor::random(shape, Distribution::Normal(0.0, std), device),
            };
            value.set_require_grad(require_grad)
        },
        device.clone(),
        true,
        Shape::from(shape),
    )
}

/// `y = x·Wᵀ + b`.
#[derive(Module, Debug)]
pub struct Linear {
    /// `[out, in]`, as `torch.nn.Linear` has it: rows are outputs.
    pub weight: Param<Tensor<2>>,
    /// `[out]`.
    pub bias: Param<Tensor<1>>,
}

impl Linear {
    pub(crate) fn new(input: usize, output: usize, std: f64, device: &Device) -> Self {
        Self {
            weight: parameter([output, input], Fill::Normal(std), device),
            bias: parameter([output], Fill::Constant(0.0), device),
        }
    }

    /// `[.., in]` → `[.., out]`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        operations::linear(x, self.weight.val(), self.bias.val())
    }
}

/// Layer normalization over the last axis (Ba et al., 2016).
#[derive(Module, Debug)]
pub struct LayerNorm {
    /// `[hidden]`, the scale.
    pub weight: Param<Tensor<1>>,
    /// `[hidden]`, the offset.
    pub bias: Param<Tensor<1>>,
    #[module(skip)]
    epsilon: f64,
}

impl LayerNorm {
    pub(crate) fn new(size: usize, epsilon: f64, device: &Device) -> Self {
        Self {
            weight: parameter([size], Fill::Constant(1.0), device),
            bias: parameter([size], Fill::Constant(0.0), device),
            epsilon,
        }
    }

    /// `[.., hidden]` → the same shape.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        operations::layer_norm(x, self.weight.val(), self.bias.val(), self.epsilon)
    }

    /// Normalizes `dropout(x) + residual`, all `[.., hidden]`.
    pub fn forward_sum<const D: usize>(
        &self,
        x: Tensor<D>,
        residual: Tensor<D>,
        dropout: Option<Dropout>,
    ) -> Tensor<D> {
        operations::add_dropout_layer_norm(x, residual, dropout, self.weight.val(), self.bias.val(), self.epsilon)
    }
}

/// A table of vectors.
#[derive(Module, Debug)]
pub struct Embedding {
    /// `[entries, hidden]`.
    pub weight: Param<Tensor<2>>,
}

impl Embedding {
    pub(crate) fn new(entries: usize, size: usize, std: f64, device: &Device) -> Self {
        Self { weight: parameter([entries, size], Fill::Normal(std), device) }
    }

    /// `[batch, seq]` ids → `[batch, seq, hidden]`.
    pub fn forward(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        operations::embedding(self.weight.val(), ids)
    }
}

/// Draws every fresh parameter now, in the order of the module's fields, so that a seed fixes the values.
pub fn drawn<M: Module>(module: M) -> M {
    struct Draw;
    impl ModuleMapper for Draw {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            param.map(|value| value)
        }
    }
    module.map(&mut Draw)
}
