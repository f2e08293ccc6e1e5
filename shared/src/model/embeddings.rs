//! Word, position and segment embeddings.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::{Batch, BertConfig, Embedding, LayerNorm, Noise};
use crate::operations;

/// `bert.embeddings`.
#[derive(Module, Debug)]
pub struct Embeddings {
    /// `[vocab, hidden]`.
    pub word_embeddings: Embedding,
    /// `[positions, hidden]`.
    pub position_embeddings: Embedding,
    /// `[segments, hidden]`.
    pub token_type_embeddings: Embedding,
    /// Normalizes the sum.
    pub layer_norm: LayerNorm,
    #[module(skip)]
    dropout: f64,
}

impl Embeddings {
    pub(super) fn new(config: &BertConfig, device: &Device) -> Self {
        let table = |entries| Embedding::new(entries, config.hidden_size, config.initializer_range, device);
        Self {
            word_embeddings: table(config.vocab_size),
            position_embeddings: table(config.max_position_embeddings),
            token_type_embeddings: table(config.type_vocab_size),
            layer_norm: LayerNorm::new(config.hidden_size, config.layer_norm_eps, device),
            dropout: config.hidden_dropout_prob,
        }
    }

    /// `[batch, seq]` → `[batch, seq, hidden]`.
    pub fn forward(&self, batch: &Batch, noise: &Noise) -> Tensor<3> {
        let [_, seq] = batch.ids.dims();
        let words = self.word_embeddings.forward(batch.ids.clone());
        let types = self.token_type_embeddings.forward(batch.type_ids.clone());
        // Positions count from 0 in every row: a slice of the table, broadcast over the batch.
        let positions = self.position_embeddings.weight.val().slice_dim(0, 0..seq).unsqueeze::<3>();
        let sum = self.layer_norm.forward(words + types + positions);
        operations::dropout(sum, noise.next(self.dropout))
    }
}
