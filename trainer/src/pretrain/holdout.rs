//! How well a model finds the hidden words of a text that it was not trained on.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use burn::tensor::activation::log_softmax;
use overfold::model::{BertForMaskedLM, Noise, mix};
use overfold::tokenizer::WordPiece;
use serde::Serialize;

use super::batch::{MaskedBatch, Sample};
use super::masking::Masker;
use super::windows::Windows;
use crate::error::Error;

/// What a model found of the hidden tokens.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Found {
    /// Windows of the text.
    pub windows: usize,
    /// Hidden tokens in them.
    pub hidden: usize,
    /// Their mean cross-entropy, in nats.
    pub loss: f64,
    /// e to its power.
    pub perplexity: f64,
    /// Share of them that the model puts first.
    pub accuracy: f64,
}

/// How a text is read: tokens in a window, windows at most, windows in one pass, share of the tokens that are hidden.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// Tokens in a window.
    pub length: usize,
    /// The first windows of the text, at most so many.
    pub windows: usize,
    /// Windows in one pass.
    pub batch: usize,
    /// Share of the tokens that are hidden.
    pub mask: f64,
}

impl Reading {
    /// Shortest window that can be read.
    pub const SHORTEST: usize = 8;
}

impl Found {
    /// In texts; `folder` takes their tokens.
    ///
    /// # Errors
    /// [`Error`] if a text cannot be read or is shorter than a window, or the vocabulary has no `[MASK]`.
    pub fn of_texts(
        model: &BertForMaskedLM,
        tokenizer: &WordPiece,
        texts: &[PathBuf],
        folder: &Path,
        reading: Reading,
        device: &Device,
    ) -> Result<Self, Error> {
        let masker = Masker::new(tokenizer, reading.mask)?;
        let windows = Windows::prepare("text", texts, tokenizer, reading.length, folder)?;
        let places: Vec<usize> = (0..windows.packed.windows.min(reading.windows)).collect();
        let size = [reading.length, 1 + masker.budget(reading.length)];
        let batches = places.chunks(reading.batch).map(|places| {
            let samples = places.iter().map(|&place| hidden(&masker, &windows.window(place), place));
            MaskedBatch::new(&samples.collect::<Vec<_>>(), size, tokenizer.pad(), device)
        });
        Ok(Self::of(model, batches))
    }

    /// In batches without pairs; `model` is not one that learns.
    pub(super) fn of(model: &BertForMaskedLM, batches: impl Iterator<Item = MaskedBatch>) -> Self {
        let (mut windows, mut hidden, mut sum, mut right) = (0, 0, 0.0, 0.0);
        for MaskedBatch { batch, read, places, targets, .. } in batches {
            windows += batch.ids.dims()[0];
            hidden += targets.dims()[0];
            let logits = model.masked_logits(model.hidden_states_at(&batch, read, &Noise::off()), places);
            let hits = logits.clone().argmax(1).squeeze_dim::<1>(1).equal(targets.clone()).float().sum();
            let losses = log_softmax(logits, 1).gather(1, targets.unsqueeze_dim(1)).neg().sum();
            right += f64::from(hits.into_scalar::<f32>());
            sum += f64::from(losses.into_scalar::<f32>());
        }
        let loss = sum / hidden as f64;
        Self { windows, hidden, loss, perplexity: loss.exp(), accuracy: right / hidden as f64 }
    }
}

/// A window of a hold-out text: always the same words are hidden in it, whatever the run.
pub(super) fn hidden(masker: &Masker, window: &[u32], place: usize) -> Sample {
    Sample::Masked(masker.hide(window, seed_of([0, 0, place as u64])))
}

/// One seed of several numbers: neighbours share nothing.
pub(super) fn seed_of(numbers: [u64; 3]) -> u64 {
    numbers.into_iter().fold(0, |seed, number| mix(seed ^ number))
}
