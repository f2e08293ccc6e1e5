//! Multi-head self-attention (Vaswani et al., NeurIPS 2017) with BERT's output block.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::{BertConfig, LayerNorm, Linear, Noise};
use crate::operations;

/// `attention.self`: projections and the weighted sum.
#[derive(Module, Debug)]
pub struct SelfAttention {
    /// `[hidden, hidden]`.
    pub query: Linear,
    /// `[hidden, hidden]`.
    pub key: Linear,
    /// `[hidden, hidden]`.
    pub value: Linear,
    #[module(skip)]
    heads: usize,
    #[module(skip)]
    dropout: f64,
}

/// `attention.output`: projection, dropout, residual, normalization.
#[derive(Module, Debug)]
pub struct AttentionOutput {
    /// `[hidden, hidden]`.
    pub dense: Linear,
    /// Normalizes projection + residual.
    pub layer_norm: LayerNorm,
    #[module(skip)]
    dropout: f64,
}

/// `attention` of one layer.
#[derive(Module, Debug)]
pub struct Attention {
    /// Written `self` in the checkpoint, which is a keyword here.
    pub self_attention: SelfAttention,
    /// The output block.
    pub output: AttentionOutput,
}

impl Attention {
    pub(super) fn new(config: &BertConfig, device: &Device) -> Self {
        let hidden = config.hidden_size;
        let linear = || Linear::new(hidden, hidden, config.initializer_range, device);
        Self {
            self_attention: SelfAttention {
                query: linear(),
                key: linear(),
                value: linear(),
                heads: config.num_attention_heads,
                dropout: config.attention_probs_dropout_prob,
            },
            output: AttentionOutput {
                dense: linear(),
                layer_norm: LayerNorm::new(hidden, config.layer_norm_eps, device),
                dropout: config.hidden_dropout_prob,
            },
        }
    }

    /// `x`: the tokens that ask, `[batch, queries, hidden]`; `context`: all tokens, `[batch, seq, hidden]`; `mask_bias`:
    /// `[batch, 1, 1, seq]`.
    pub fn forward(&self, x: Tensor<3>, context: Tensor<3>, mask_bias: Tensor<4>, noise: &Noise) -> Tensor<3> {
        let attended = self.self_attention.forward(x.clone(), context, mask_bias, noise);
        self.output.forward(attended, x, noise)
    }
}

impl SelfAttention {
    fn forward(&self, x: Tensor<3>, context: Tensor<3>, mask_bias: Tensor<4>, noise: &Noise) -> Tensor<3> {
        let [batch, queries, hidden] = x.dims();
        let head_size = hidden / self.heads;
        // [batch, tokens, hidden] → [batch, heads, tokens, head_size]
        let split = |y: Tensor<3>| y.reshape([batch as i32, -1, self.heads as i32, head_size as i32]).swap_dims(1, 2);
        let query = split(self.query.forward(x));
        let key = split(self.key.forward(context.clone()));
        let value = split(self.value.forward(context));
        let scores = query.matmul(key.swap_dims(2, 3)); // [batch, heads, queries, seq]
        let scale = 1.0 / (head_size as f64).sqrt();
        let weights = operations::attention_weights(scores, mask_bias, scale, noise.next(self.dropout));
        weights.matmul(value).swap_dims(1, 2).reshape([batch, queries, hidden])
    }
}

impl AttentionOutput {
    fn forward(&self, attended: Tensor<3>, residual: Tensor<3>, noise: &Noise) -> Tensor<3> {
        self.layer_norm.forward_sum(self.dense.forward(attended), residual, noise.next(self.dropout))
    }
}
