//! Everything that changes during a run, and its checkpoint.

use std::collections::BTreeMap;

use burn::module::Module;
use overfold::model::BertForMaskedLM;
use serde::{Deserialize, Serialize};

use super::Job;
use crate::error::Error;
use crate::optimizer::Optimizer;
use crate::resume::{Reader, Writer};

/// The loss on the hold-out text at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Optimizer steps taken.
    pub step: usize,
    /// Tokens that passed through the model in training.
    pub tokens: usize,
    /// Mean cross-entropy of the hidden tokens, in nats.
    pub loss: f64,
    /// e to its power.
    pub perplexity: f64,
    /// Share of the hidden tokens that the model puts first.
    pub accuracy: f64,
}

/// A run at one moment.
#[derive(Debug, Clone)]
pub struct State {
    /// Optimizer steps taken.
    pub step: usize,
    /// The model, on the training device.
    pub model: BertForMaskedLM,
    /// AdamW's state.
    pub optimizer: Optimizer,
    /// The evaluations so far.
    pub evaluations: Vec<Evaluation>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    step: usize,
    steps: BTreeMap<String, usize>,
    evaluations: Vec<Evaluation>,
}

impl State {
    /// The start of a run.
    pub fn new(job: &Job) -> Self {
        Self { step: 0, model: job.fresh_model(), optimizer: Optimizer::default(), evaluations: Vec::new() }
    }

    /// Writes the run's checkpoint, replacing the previous one only when it is complete.
    ///
    /// # Errors
    /// [`Error::Checkpoint`], a full disk for example.
    pub fn save(&self, job: &Job) -> Result<(), Error> {
        let mut writer = Writer::default();
        for (name, state) in &self.optimizer.dense {
            writer.state(name, state);
        }
        writer.model("model", &self.model);
        let record = Record {
            step: self.step,
            steps: self.optimizer.dense.iter().map(|(name, state)| (name.clone(), state.steps)).collect(),
            evaluations: self.evaluations.clone(),
        };
        writer.write(&job.out, &record)
    }

    /// Reads the run's checkpoint; `None` if it was interrupted before the first one.
    ///
    /// # Errors
    /// [`Error::File`] or [`Error::Checkpoint`] if it is damaged.
    pub fn load(job: &Job) -> Result<Option<Self>, Error> {
        let device = &job.device.device;
        let Some((record, reader)) = Reader::open::<Record>(&job.out, device)? else { return Ok(None) };
        let mut optimizer = Optimizer::default();
        for (name, &steps) in &record.steps {
            optimizer.dense.insert(name.clone(), reader.state(name, steps)?);
        }
        let model = reader.model("model", job.empty_model(device))?.train();
        Ok(Some(Self { step: record.step, model, optimizer, evaluations: record.evaluations }))
    }
}
