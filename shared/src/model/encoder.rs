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
        self.forward_at(x, mask_bias, noise, |x| x)
    }

    /// Like [`Self::forward`], but the last layer answers only for those tokens that `read` takes of its input:
    /// `[batch, seq, hidden]` → `[batch, read, hidden]`. Nobody reads the others, which are most of that layer's work.
    pub fn forward_at(
        &self,
        x: Tensor<3>,
        mask_bias: Tensor<4>,
        noise: &Noise,
        read: impl FnOnce(Tensor<3>) -> Tensor<3>,
    ) -> Tensor<3> {
        let Some((last, others)) = self.layer.split_last() else { return read(x) };
        let x = others.iter().fold(x, |x, layer| layer.forward(x.clone(), x, mask_bias.clone(), noise));
        last.forward(read(x.clone()), x, mask_bias, noise)
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

    /// `x`: the tokens to answer for; `context`: all tokens.
    fn forward(&self, x: Tensor<3>, context: Tensor<3>, mask_bias: Tensor<4>, noise: &Noise) -> Tensor<3> {
        let attended = self.attention.forward(x, context, mask_bias, noise);
        let wide = operations::gelu(self.intermediate.dense.forward(attended.clone()));
        let narrow = self.output.dense.forward(wide);
        self.output.layer_norm.forward_sum(narrow, attended, noise.next(self.output.dropout))
    }
}

#[cfg(test)]
#[cfg(feature = "training")]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_last_layer_for_one_token_is_that_of_all_with_its_gradients() {
        let config = BertConfig::from_value(json!({
            "model_type": "bert", "vocab_size": 9, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2,
            "intermediate_size": 12, "hidden_act": "gelu", "max_position_embeddings": 6, "type_vocab_size": 2,
            "layer_norm_eps": 1e-12, "initializer_range": 0.3, "pad_token_id": 0,
        }))
        .unwrap();
        let device = Device::flex();
        let encoder = super::super::drawn(Encoder::new(&config, &device)).train();
        let numbers: Vec<f32> = (0..2 * 5 * 8).map(|k| (k as f32 * 0.7).sin()).collect();
        let x = Tensor::<1>::from_floats(numbers.as_slice(), &device).reshape([2, 5, 8]);
        // The second text has two tokens of padding.
        let bias = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1e4, -1e4];
        let bias = Tensor::<1>::from_floats(bias, &device).reshape([2, 1, 1, 5]);
        let third = |x: Tensor<3>| x.slice([0..2, 2..3, 0..8]);
        let run = |one: bool| {
            let x = x.clone().autodiff().require_grad();
            let y = if one {
                encoder.forward_at(x.clone(), bias.clone().autodiff(), &Noise::off(), third)
            } else {
                third(encoder.forward(x.clone(), bias.clone().autodiff(), &Noise::off()))
            };
            let gradients = y.clone().powi_scalar(3).sum().backward();
            let weight = encoder.layer[0].attention.self_attention.key.weight.val();
            let found =
                [y.into_data(), x.grad(&gradients).unwrap().into_data(), weight.grad(&gradients).unwrap().into_data()];
            found.map(|data| data.iter::<f32>().collect::<Vec<_>>())
        };
        for (one, all) in run(true).iter().flatten().zip(run(false).iter().flatten()) {
            // The sums are in another order.
            assert!((one - all).abs() < 1e-5 * (1.0 + all.abs()), "{one} {all}");
        }
    }
}
