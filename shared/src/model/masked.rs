//! The model of masked-language-model pre-training (Devlin et al., NAACL 2019, §3.1).

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor};

use super::layers::{Fill, parameter};
use super::{Batch, BertConfig, Embeddings, Encoder, LayerNorm, Linear, Noise};
use crate::operations;

/// `bert` without a pooler, which pre-training has no use for.
#[derive(Module, Debug)]
pub struct BertTrunk {
    /// Sum of word, position and segment vectors.
    pub embeddings: Embeddings,
    /// The layers.
    pub encoder: Encoder,
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
    /// The only head: there is no next-sentence prediction.
    pub predictions: Predictions,
}

/// `BertForMaskedLM`: logits over the vocabulary for chosen tokens.
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
            bert: BertTrunk { embeddings: Embeddings::new(config, device), encoder: Encoder::new(config, device) },
            cls: PredictionHead {
                predictions: Predictions {
                    transform: PredictionTransform {
                        dense: Linear::new(hidden, hidden, config.initializer_range, device),
                        layer_norm: LayerNorm::new(hidden, config.layer_norm_eps, device),
                    },
                    bias: parameter([config.vocab_size], Fill::Constant(0.0), device),
                },
            },
        }
    }

    /// `[places, vocab]` logits of the tokens at `places`, indices into the batch's flattened `[batch · seq]`.
    ///
    /// The head costs hidden · vocab for each token, so only the masked ones pass through it.
    pub fn forward(&self, batch: &Batch, places: Tensor<1, Int>, noise: &Noise) -> Tensor<2> {
        let x = self.bert.embeddings.forward(batch, noise);
        let x = self.bert.encoder.forward(x, batch.mask_bias(), noise);
        let [_, _, hidden] = x.dims();
        let chosen = x.reshape([-1, hidden as i32]).select(0, places);
        let head = &self.cls.predictions;
        let transformed = head.transform.layer_norm.forward(operations::gelu(head.transform.dense.forward(chosen)));
        operations::linear(transformed, self.bert.embeddings.word_embeddings.weight.val(), head.bias.val())
    }
}
