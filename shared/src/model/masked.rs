//! The model of pre-training: masked words, and what a pair of texts has in common (Devlin et al., NAACL 2019, §3.1).

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor};

use super::layers::{Fill, parameter};
use super::{Batch, BertConfig, Embeddings, Encoder, LayerNorm, Linear, Noise, Pooler};
use crate::operations;

/// `bert`, with a pooler only if pairs of texts are learned from.
#[derive(Module, Debug)]
pub struct BertTrunk {
    /// Sum of word, position and segment vectors.
    pub embeddings: Embeddings,
    /// The layers.
    pub encoder: Encoder,
    /// On the first token.
    pub pooler: Option<Pooler>,
}

/// `cls.predictions.transform`: dense, GELU, layer normalization.
#[derive(Module, Debug)]
pub struct PredictionTransform {
    /// `[hidden, hidden]`.
    pub dense: Linear,
    /// On its output.
    pub layer_norm: LayerNorm,
}

/// `cls.predictions`. Its decoder is the word embedding, transposed.
#[derive(Module, Debug)]
pub struct Predictions {
    /// Before the decoder.
    pub transform: PredictionTransform,
    /// `[vocab]`, the decoder's offset.
    pub bias: Param<Tensor<1>>,
}

/// `cls`.
#[derive(Module, Debug)]
pub struct PredictionHead {
    /// Which word is hidden.
    pub predictions: Predictions,
    /// `[2, hidden]`: whether words of the second text occur in the first, and whether they do not.
    pub seq_relationship: Option<Linear>,
}

/// `BertForMaskedLM`: logits over the vocabulary for chosen tokens; `BertForPreTraining` with a head for pairs.
#[derive(Module, Debug)]
pub struct BertForMaskedLM {
    /// The encoder.
    pub bert: BertTrunk,
    /// The head.
    pub cls: PredictionHead,
}

impl BertForMaskedLM {
    /// A model with fresh parameters: normal with `initializer_range`, zero biases.
    ///
    /// Parameters are drawn from the device's generator when first read; seed it with [`Device::seed`].
    pub fn new(config: &BertConfig, device: &Device) -> Self {
        let hidden = config.hidden_size;
        Self {
            bert: BertTrunk {
                embeddings: Embeddings::new(config, device),
                encoder: Encoder::new(config, device),
                pooler: None,
            },
            cls: PredictionHead {
                predictions: Predictions {
                    transform: PredictionTransform {
                        dense: Linear::new(hidden, hidden, config.initializer_range, device),
                        layer_norm: LayerNorm::new(hidden, config.layer_norm_eps, device),
                    },
                    bias: parameter([config.vocab_size], Fill::Constant(0.0), device),
                },
                seq_relationship: None,
            },
        }
    }

    /// With a fresh head for pairs of texts.
    pub fn with_pairs(mut self, config: &BertConfig, device: &Device) -> Self {
        let linear = |outputs| Linear::new(config.hidden_size, outputs, config.initializer_range, device);
        self.bert.pooler = Some(Pooler { dense: linear(config.hidden_size) });
        self.cls.seq_relationship = Some(linear(2));
        self
    }

    /// `[batch, read, hidden]`: the last layer's output for some tokens only. `places`: `[batch · read]` their indices in
    /// the flattened `[batch · seq]`, as many in each row.
    pub fn hidden_states_at(&self, batch: &Batch, places: Tensor<1, Int>, noise: &Noise) -> Tensor<3> {
        let x = self.bert.embeddings.forward(batch, noise);
        let [rows, _, hidden] = x.dims().map(|size| size as i32);
        let read = |x: Tensor<3>| x.reshape([-1, hidden]).select(0, places).reshape([rows, -1, hidden]);
        self.bert.encoder.forward_at(x, batch.mask_bias(), noise, read)
    }

    /// `[places, vocab]` logits of the tokens at `places`, indices into the flattened `[batch · read]` of hidden states
    /// `[batch, read, hidden]`.
    ///
    /// The head costs hidden · vocab for each token, so only the masked ones pass through it.
    pub fn masked_logits(&self, hidden_states: Tensor<3>, places: Tensor<1, Int>) -> Tensor<2> {
        let [_, _, hidden] = hidden_states.dims();
        let chosen = hidden_states.reshape([-1, hidden as i32]).select(0, places);
        let head = &self.cls.predictions;
        let transformed = head.transform.layer_norm.forward(operations::gelu(head.transform.dense.forward(chosen)));
        operations::linear(transformed, self.bert.embeddings.word_embeddings.weight.val(), head.bias.val())
    }

    /// Logits of pairs from hidden states `[batch, read, hidden]`: `[batch, 2]`, which share of the second text occurs in
    /// the first, and `[batch · read, 2]`, whether a token does. `None` without a head for them.
    pub fn pair_logits(&self, hidden_states: Tensor<3>) -> Option<[Tensor<2>; 2]> {
        let (pooler, head) = (self.bert.pooler.as_ref()?, self.cls.seq_relationship.as_ref()?);
        let [_, _, hidden] = hidden_states.dims();
        let tokens = hidden_states.clone().reshape([-1, hidden as i32]);
        Some([head.forward(pooler.forward(hidden_states)), head.forward(tokens)])
    }
}
