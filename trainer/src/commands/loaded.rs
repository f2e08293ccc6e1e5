//! A fine-tuned model, ready to answer.

use overfold::model::BertForSequenceClassification;
use overfold::tokenizer::WordPiece;

use crate::data::Labels;
use crate::device::{self, Choice, Opened};
use crate::error::Error;
use crate::hub;
use crate::training::read_model;

/// Model, tokenizer, labels and device.
pub(super) struct Loaded {
    pub model: BertForSequenceClassification,
    pub tokenizer: WordPiece,
    pub labels: Labels,
    pub device: Opened,
}

/// Opens a fine-tuned model, which must have a classifier.
pub(super) fn open(model: &str, max_length: usize, choice: Choice) -> Result<Loaded, Error> {
    let folder = hub::open(model)?;
    let config = &folder.config;
    if max_length < 3 || max_length > config.max_position_embeddings {
        let reason = format!("{max_length} tokens; the model takes 3 to {}", config.max_position_embeddings);
        return Err(Error::flag("--max-length", reason));
    }
    let tokenizer = folder.tokenizer(max_length)?;
    let labels = Labels::of_model(config, &folder.weights()?);
    let device = device::open(choice)?;
    let model = read_model(&folder, &labels, &device.device)?;
    Ok(Loaded { model, tokenizer, labels, device })
}
