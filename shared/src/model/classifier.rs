//! The whole model: encoder, pooler and head.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::layers::{Fill, parameter};
use super::{Batch, BertConfig, Embeddings, Encoder, Linear, Noise};
use crate::operations;

/// `bert.pooler`: a dense layer with tanh on the first token.
#[derive(Module, Debug)]
pub struct Pooler {
    /// `[hidden, hidden]`.
    pub dense: Linear,
}

impl Pooler {
    /// `[batch, hidden]` for hidden states `[batch, seq, hidden]`, of which the first token is read.
    pub fn forward(&self, hidden_states: Tensor<3>) -> Tensor<2> {
        let [batch, _, hidden] = hidden_states.dims();
        let first = hidden_states.slice([0..batch, 0..1]).reshape([batch, hidden]);
        self.dense.forward(first).tanh()
    }
}

/// `bert`: the encoder with its pooler.
#[derive(Module, Debug)]
pub struct BertModel {
    /// Sum of word, position and segment vectors.
    pub embeddings: Embeddings,
    /// The layers.
    pub encoder: Encoder,
    /// On the first token.
    pub pooler: Pooler,
}

/// `BertForSequenceClassification`: logits for a text or a pair of texts.
#[derive(Module, Debug)]
pub struct BertForSequenceClassification {
    /// The encoder.
    pub bert: BertModel,
    /// `[outputs, hidden]`.
    pub classifier: Linear,
    #[module(skip)]
    dropout: f64,
}

impl BertForSequenceClassification {
    /// A model with fresh parameters (normal with `initializer_range`, zero biases) and `outputs` logits.
    ///
    /// Parameters are drawn from the device's generator when first read; seed it with [`Device::seed`].
    pub fn new(config: &BertConfig, outputs: usize, device: &Device) -> Self {
        let linear = |output| Linear::new(config.hidden_size, output, config.initializer_range, device);
        Self {
            bert: BertModel {
                embeddings: Embeddings::new(config, device),
                encoder: Encoder::new(config, device),
                pooler: Pooler { dense: linear(config.hidden_size) },
            },
            classifier: linear(outputs),
            dropout: config.classifier_dropout(),
        }
    }

    /// `[batch, outputs]` logits.
    pub fn forward(&self, batch: &Batch, noise: &Noise) -> Tensor<2> {
        let x = self.bert.embeddings.forward(batch, noise);
        let [rows, _, hidden] = x.dims();
        let first = |x: Tensor<3>| x.slice([0..rows, 0..1, 0..hidden]);
        let pooled = self.bert.pooler.forward(self.bert.encoder.forward_at(x, batch.mask_bias(), noise, first));
        self.classifier.forward(operations::dropout(pooled, noise.next(self.dropout)))
    }

    /// Replaces the pooler by a fresh one, for checkpoints whose pooler was never trained.
    pub fn reset_pooler(&mut self, config: &BertConfig, device: &Device) {
        let hidden = config.hidden_size;
        self.bert.pooler.dense.weight = parameter([hidden, hidden], Fill::Normal(config.initializer_range), device);
        self.bert.pooler.dense.bias = parameter([hidden], Fill::Constant(0.0), device);
    }
}

impl BertModel {
    /// `[batch, seq, hidden]`: the last layer's output.
    pub fn hidden_states(&self, batch: &Batch, noise: &Noise) -> Tensor<3> {
        let x = self.embeddings.forward(batch, noise);
        self.encoder.forward(x, batch.mask_bias(), noise)
    }
}
