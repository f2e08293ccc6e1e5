//! The BERT family on Burn: encoder, pooler, classification or regression head, and the head of pre-training.
//!
//! Follows `BertForSequenceClassification` of Hugging Face `transformers`
//! (<https://github.com/huggingface/transformers/blob/main/src/transformers/models/bert/modeling_bert.py>; Devlin et
//! al., NAACL 2019). The modules' fields are named after the keys of the checkpoint, so that a folded model is written
//! under the names that `transformers` reads, without a table; [`names`] holds the two exceptions.
//!
//! The model is always dense: over-parameterization is a property of the *update*, so it lives beside the model, in
//! [`crate::chain`] and in the trainer.

mod attention;
mod batch;
mod classifier;
mod config;
mod embeddings;
mod encoder;
mod layers;
mod masked;
pub mod names;
mod noise;
mod replace;

pub use attention::{Attention, AttentionOutput, SelfAttention};
pub use batch::Batch;
pub use classifier::{BertForSequenceClassification, BertModel, Pooler};
pub use config::{BertConfig, ConfigError};
pub use embeddings::Embeddings;
pub use encoder::{Encoder, Intermediate, Layer, Output};
pub use layers::{Embedding, LayerNorm, Linear, drawn};
pub use masked::{BertForMaskedLM, BertTrunk, PredictionHead, PredictionTransform, Predictions};
pub use noise::{Noise, mix};
pub use replace::{replaced, with_tensors};
