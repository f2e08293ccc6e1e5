//! What is prepared once and never changes during a run.

use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::Device;
use overfold::checkpoint::{CheckpointError, Files, Folder, Precision, load_masked, save_model, write_folder};
use overfold::model::{BertConfig, BertForMaskedLM, drawn};
use overfold::tokenizer::WordPiece;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rayon::prelude::*;

use super::batch::{MaskedBatch, Sample};
use super::config::PretrainConfig;
use super::fresh;
use super::holdout::{Reading, hidden, seed_of};
use super::masking::Masker;
use super::pairs::Pair;
use super::windows::Windows;
use crate::device::{self, Opened};
use crate::error::Error;
use crate::optimizer::Rate;

/// Every so many windows one is held out, if no other text is given for that.
const HOLD_OUT: usize = 200;

/// A run's inputs: configuration, tokens, device.
#[derive(Debug)]
pub struct Job {
    /// The flags.
    pub config: PretrainConfig,
    /// The model's `config.json`.
    pub architecture: BertConfig,
    /// Where the tokenizer's files are.
    pub tokenizer: Files,
    /// The text as tokens.
    pub windows: Windows,
    /// The hold-out text as tokens, if it is another one.
    holdout: Option<Windows>,
    masker: Masker,
    pad: u32,
    /// Where it runs.
    pub device: Opened,
    /// The folder of the run.
    pub out: PathBuf,
    /// Optimizer steps in an epoch; windows that fill no step wait for the next epoch's order.
    pub steps_per_epoch: usize,
    /// Optimizer steps in the run.
    pub total_steps: usize,
    /// The learning rate's course.
    pub rate: Rate,
}

impl Job {
    /// Checks the flags, opens tokenizer and device, and tokenizes the text unless `out` has the tokens already.
    ///
    /// # Errors
    /// [`Error`] for whatever cannot be used.
    pub fn prepare(config: PretrainConfig, out: PathBuf) -> Result<Self, Error> {
        check_flags(&config)?;
        let folder = config.tokenizer.as_deref().ok_or_else(|| Error::flag("--tokenizer", "expected a folder"))?;
        let files = Files::folder(folder);
        let tokenizer = WordPiece::open_unbound(&files)?;
        let architecture = config
            .architecture(tokenizer.size(), tokenizer.pad())
            .map_err(|e| Error::flag("--hidden, --heads, --layers, --ffn", e.to_string()))?;
        let masker = Masker::new(&tokenizer, config.mask)?;
        let device = device::open(config.device)?;
        for text in config.text.iter().chain(&config.holdout) {
            if !text.is_file() {
                return Err(Error::file(text, "no such file; expected a text, plain or .gz"));
            }
        }
        let tokens = |name: &'static str, texts: &[PathBuf]| {
            let folder = out.join("tokens").join(name);
            if folder.is_dir() {
                return Windows::open(&folder);
            }
            Windows::prepare(name, texts, &tokenizer, config.positions, &folder)
        };
        let windows = tokens("text", &config.text)?;
        let holdout = if config.holdout.is_empty() { None } else { Some(tokens("holdout", &config.holdout)?) };
        if holdout.is_none() && windows.packed.windows < HOLD_OUT {
            let reason = format!(
                "missing; every {HOLD_OUT}th window of --text would be held out, and it has {} only",
                windows.packed.windows
            );
            return Err(Error::flag("--holdout", reason));
        }
        let per_step = config.batch * config.accumulate;
        let learned = learned(windows.packed.windows, holdout.is_none());
        let steps_per_epoch = learned / per_step;
        if steps_per_epoch == 0 {
            let reason = format!(
                "the text has {learned} windows of {} tokens to learn from, one step takes {per_step}; lower --batch, \
                 or give more text",
                config.positions
            );
            return Err(Error::flag("--text", reason));
        }
        let total_steps = config.steps.unwrap_or((config.epochs * steps_per_epoch as f64).ceil() as usize);
        Ok(Self {
            rate: Rate::new(config.schedule, config.warmup, total_steps),
            pad: tokenizer.pad(),
            tokenizer: files,
            architecture,
            windows,
            holdout,
            masker,
            device,
            out,
            steps_per_epoch,
            total_steps,
            config,
        })
    }

    /// A model with fresh weights, ready to train.
    pub fn fresh_model(&self) -> BertForMaskedLM {
        // On the CPU first: a seed gives the same weights on every device.
        let cpu = Device::flex();
        cpu.seed(self.config.seed);
        let mut model = drawn(self.empty_model(&cpu));
        if !self.config.plain_start {
            fresh::look_at_neighbours(&mut model, &self.architecture);
            if self.config.pairs > 0.0 {
                fresh::look_for_twins(&mut model, &self.architecture);
            }
        }
        model.fork(&self.device.device).train()
    }

    /// A model to be filled.
    pub fn empty_model(&self, device: &Device) -> BertForMaskedLM {
        let model = BertForMaskedLM::new(&self.architecture, device);
        if self.config.pairs > 0.0 { model.with_pairs(&self.architecture, device) } else { model }
    }

    /// Number of windows that are learned from.
    pub fn learned(&self) -> usize {
        learned(self.windows.packed.windows, self.holdout.is_none())
    }

    /// Number of windows of the hold-out loss.
    pub fn held_out(&self) -> usize {
        let all = match &self.holdout {
            Some(windows) => windows.packed.windows,
            None => self.windows.packed.windows - self.learned(),
        };
        all.min(self.config.holdout_windows)
    }

    /// Masks windows that are learned from; `places` counts them from 0 to [`Self::learned`]. The first ones become pairs.
    pub fn training_batch(&self, places: &[usize], epoch: usize) -> MaskedBatch {
        let index = |place| if self.holdout.is_some() { place } else { place + place / (HOLD_OUT - 1) };
        let pairs = pairs_of(&self.config);
        self.batch(places.par_iter().enumerate().map(|(row, &place)| {
            let window = self.windows.window(index(place));
            let seed = seed_of([self.config.seed, epoch as u64 + 1, place as u64]);
            let pair = (row < pairs).then(|| self.pair(&window, seed)).flatten();
            pair.unwrap_or_else(|| Sample::Masked(self.masker.hide(&window, seed)))
        }))
    }

    /// Two texts, and which tokens of the second one are asked: as many as would be hidden.
    fn pair(&self, window: &[u32], seed: u64) -> Option<Sample> {
        let mut rng = StdRng::seed_from_u64(seed);
        let pair = Pair::of(window, &self.masker.words_of(window), &mut rng)?;
        let count = self.masker.budget(window.len()).min(pair.occurs.len());
        let asked = rand::seq::index::sample(&mut rng, pair.occurs.len(), count).into_vec();
        Some(Sample::Pair { pair, asked })
    }

    /// Masks hold-out windows, always in the same way, whatever the run's seed.
    pub fn holdout_batch(&self, places: &[usize]) -> MaskedBatch {
        let window = |place: usize| match &self.holdout {
            Some(windows) => windows.window(place),
            None => self.windows.window((place + 1) * HOLD_OUT - 1),
        };
        self.batch(places.par_iter().map(|&place| hidden(&self.masker, &window(place), place)))
    }

    fn batch(&self, samples: impl IndexedParallelIterator<Item = Sample>) -> MaskedBatch {
        let read = 1 + self.masker.budget(self.config.positions);
        MaskedBatch::new(&samples.collect::<Vec<_>>(), [self.config.positions, read], self.pad, &self.device.device)
    }

    /// Fills a folder with what `transformers` opens as `BertForMaskedLM`, or as `BertForPreTraining` with pairs.
    ///
    /// # Errors
    /// [`Error::Checkpoint`].
    pub fn write_model(&self, model: &BertForMaskedLM, to: &Path) -> Result<(), Error> {
        let precision = if self.config.half { Precision::Half } else { Precision::Single };
        write_folder::<CheckpointError>(to, |folder| {
            save_model(folder, model, &self.architecture, &self.tokenizer, precision)
        })?;
        // What was written can be read: the same check that a user's folder gets.
        load_masked(&Folder::open(to)?.weights()?, &self.architecture, &Device::flex())?;
        Ok(())
    }
}

/// Windows that are learned from, if every [`HOLD_OUT`]th may be held out.
fn learned(windows: usize, holding_out: bool) -> usize {
    if holding_out { windows - windows / HOLD_OUT } else { windows }
}

/// How many windows of a batch are made pairs.
fn pairs_of(config: &PretrainConfig) -> usize {
    (config.pairs * config.batch as f64).round() as usize
}

fn check_flags(config: &PretrainConfig) -> Result<(), Error> {
    for (flag, value) in [
        ("--layers", config.layers),
        ("--hidden", config.hidden),
        ("--heads", config.heads),
        ("--ffn", config.ffn.unwrap_or(1)),
        ("--batch", config.batch),
        ("--accumulate", config.accumulate),
        ("--steps", config.steps.unwrap_or(1)),
        ("--evaluate-every", config.evaluate_every),
        ("--holdout-windows", config.holdout_windows),
        ("--checkpoint-every", config.checkpoint_every),
        ("--log-every", config.log_every),
    ] {
        if value == 0 {
            return Err(Error::flag(flag, "0; expected at least 1"));
        }
    }
    if config.positions < Reading::SHORTEST {
        return Err(Error::flag(
            "--positions",
            format!("{}; expected at least {} tokens", config.positions, Reading::SHORTEST),
        ));
    }
    let deviation = config.initializer_range.unwrap_or(1.0);
    for (flag, value, fits, expected) in [
        ("--mask", config.mask, config.mask > 0.0 && config.mask <= 0.5, "a share above 0, at most 0.5"),
        ("--pairs", config.pairs, (0.0..=0.5).contains(&config.pairs), "a share from 0 to 0.5"),
        ("--lr", config.lr, config.lr > 0.0, "a positive number"),
        ("--initializer-range", deviation, deviation > 0.0, "a positive number"),
        ("--epochs", config.epochs, config.epochs > 0.0, "a positive number"),
        ("--weight-decay", config.weight_decay, config.weight_decay >= 0.0, "0 or more"),
        ("--warmup", config.warmup, config.warmup >= 0.0, "0 or more"),
        ("--clip", config.clip, config.clip >= 0.0, "0 or more"),
    ] {
        if !fits || !value.is_finite() {
            return Err(Error::flag(flag, format!("{value}; expected {expected}")));
        }
    }
    let pairs = pairs_of(config);
    if config.pairs > 0.0 && (pairs == 0 || pairs == config.batch) {
        let reason = format!(
            "{} of --batch {} are {pairs} windows; expected one at least and not all",
            config.pairs, config.batch
        );
        return Err(Error::flag("--pairs", reason));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn held_out_windows_are_not_learned_from() {
        for windows in [0, 1, 199, 200, 201, 400, 1999] {
            let learned = learned(windows, true);
            let learning: BTreeSet<usize> = (0..learned).map(|place| place + place / (HOLD_OUT - 1)).collect();
            let held: BTreeSet<usize> = (0..windows - learned).map(|place| (place + 1) * HOLD_OUT - 1).collect();
            assert_eq!(learning.len() + held.len(), windows);
            assert!(learning.is_disjoint(&held));
            assert!(learning.union(&held).all(|&window| window < windows));
        }
    }

    #[test]
    fn seeds_of_neighbours_differ() {
        let numbers = (0..10).flat_map(|a| (0..10).flat_map(move |b| (0..100).map(move |c| [a, b, c])));
        let all: BTreeSet<u64> = numbers.map(seed_of).collect();
        assert_eq!(all.len(), 10_000);
    }
}
