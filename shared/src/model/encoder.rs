//! The stack of layers: attention, then the feed-forward block.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::{Attention, BertConfig, LayerNorm, Linear, Noise};
use crate::operations;

/// `intermediate`: the widening half of the feed-forward block.
#[derive(Module, Debug)]
pub struct Intermediate {
    /// `[intermediate, hidden]`.
    pub dense: Linear,
}

/// `output`: the narrowing half, dropout, residual, normalization.
#[derive(Module, Debug)]
pub struct Output {
    /// `[hidden, intermediate]`.
    pub dense: Linear,
    /// Normalizes projection + residual.
    pub layer_norm: LayerNorm,
    #[module(skip)]
    dropout: f64,
}

/// One encoder layer.
#[derive(Module, Debug)]
pub struct Layer {
    /// Self-attention with its output block.
    pub attention: Attention,
    /// First half of the feed-forward block.
    pub intermediate: Intermediate,
    /// Second half.
    pub output: Output,
}

/// `bert.encoder`.
#[derive(Module, Debug)]
pub struct Encoder {
    /// The layers, first to last.
    pub layer: Vec<Layer>,
}

impl Encoder {
    pub(super) fn new(config: &BertConfig, device: &Device) -> Self {
        Self { layer: (0..config.num_hidden_layers).map(|_| Layer::new(config, device)).collect() }
    }

    /// `x`: `[batch, seq, hidden]`; `mask_bias`: `[batch, 1, 1, seq]`.
    pub fn forward(&self, x: Tensor<3>, mask_bias: Tensor<4>, noise: &Noise) -> Tensor<3> {
        self.layer.iter().fold(x, |x, layer| layer.forward(x, mask_bias.clone(), noise))
    }
}

impl Layer {
    fn new(config: &BertConfig, device: &Device) -> Self {
        let (hidden, wide, std) = (config.hidden_size, config.intermediate_size, config.initializer_range);
        Self {
            attention: Attention::new(config, device),
            intermediate: Intermediate { dense: Linear::new(hidden, wide, std, device) },
            output: Output {
                dense: Linear::new(wide, hidden, std, device),
                layer_norm: LayerNorm::new(hidden, config.layer_norm_eps, device),
                dropout: config.hidden_dropout_prob,
            },
        }
    }

    fn forward(&self, x: Tensor<3>, mask_bias: Tensor<4>, noise: &Noise) -> Tensor<3> {
        let attended = self.attention.forward(x, mask_bias, noise);
        let wide = operations::gelu(self.intermediate.dense.forward(attended.clone()));
        let narrow = self.output.dense.forward(wide);
        self.output.layer_norm.forward_sum(narrow, attended, noise.next(self.output.dropout))
    }
}
