//! Everything that changes during a run, and nothing else: what a checkpoint must hold.

use overfold::chain::Chain;
use overfold::checkpoint::named_tensors;
use overfold::model::BertForSequenceClassification;
use overfold::model::names::Group;
use overfold::mpo;
use serde::{Deserialize, Serialize};

use super::Job;
use crate::config::{Importance, Method};
use crate::error::Error;
use crate::metrics::Scores;
use crate::optimizer::{Gradients, Optimizer, Unfolded};
use crate::strategy::{Accumulator, Round, Selector};

/// The part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Plain fine-tuning of a copy, on which the static strategy measures importance.
    Reference = 0,
    /// The run whose model is kept.
    Main = 1,
}

/// One evaluation on the validation set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluationRecord {
    /// The part of the run.
    pub phase: Phase,
    /// Optimizer steps taken.
    pub step: usize,
    /// Passes over the training data, counted in steps.
    pub epoch: f64,
    /// Mean loss on the validation set.
    pub loss: f64,
    /// The task's metrics.
    pub scores: Scores,
}

/// The model with the best main metric so far.
#[derive(Debug, Clone)]
pub struct Best {
    /// Its evaluation.
    pub record: EvaluationRecord,
    /// Its weights.
    pub model: BertForSequenceClassification,
    /// The chains at that moment, to contract them anew.
    pub chains: Vec<(String, Chain)>,
}

/// A run at one moment.
#[derive(Debug, Clone)]
pub struct State {
    /// The part of the run.
    pub phase: Phase,
    /// Optimizer steps taken in this phase.
    pub step: usize,
    /// The dense model, on the training device.
    pub model: BertForSequenceClassification,
    /// AdamW's state, and the chains.
    pub optimizer: Optimizer,
    /// Which matrices are chosen.
    pub selector: Selector,
    /// Importance since the last selection.
    pub accumulator: Accumulator,
    /// The selections so far.
    pub rounds: Vec<Round>,
    /// The evaluations so far.
    pub evaluations: Vec<EvaluationRecord>,
    /// The best model of the main phase.
    pub best: Option<Best>,
}

impl State {
    /// The start of a run.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if the model cannot be loaded, [`Error::Flag`] if the selection cannot be made.
    pub fn new(job: &Job) -> Result<Self, Error> {
        let config = &job.config;
        let reference =
            matches!(config.method, Method::Static | Method::Svd) && config.importance() != Importance::Fisher;
        Self::start(job, if reference { Phase::Reference } else { Phase::Main })
    }

    /// The start of a phase.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(super) fn start(job: &Job, phase: Phase) -> Result<Self, Error> {
        let (step, model) = match &job.config.reference {
            // Trained already: only the measurement on it is left to do.
            Some(folder) if phase == Phase::Reference => (job.total_steps, job.reference_model(folder)?),
            _ => (0, job.fresh_model()?),
        };
        Ok(Self {
            phase,
            step,
            model,
            optimizer: Optimizer::default(),
            selector: Selector::new(&job.config, job.folder.config.num_hidden_layers)?,
            accumulator: Accumulator::default(),
            rounds: Vec::new(),
            evaluations: Vec::new(),
            best: None,
        })
    }

    /// Adds a step's gradients to the importance of the matrices that may still be chosen.
    pub(super) fn observe(&mut self, job: &Job, gradients: &Gradients) {
        let kind = job.config.importance();
        let wanted =
            kind != Importance::Loss && (self.phase == Phase::Reference || job.config.method == Method::Dynamic);
        if wanted && !self.selector.is_complete() {
            self.accumulator.add(kind, &self.model, gradients, &self.selector.candidates());
        }
    }

    /// Unfolds matrices. The model's weights stay as they are; from the next step on their chains are trained.
    ///
    /// # Errors
    /// [`Error::Shape`] if a matrix cannot be unfolded in its shape.
    pub(super) fn unfold(&mut self, job: &Job, names: &[String]) -> Result<(), Error> {
        let mut matrices = Vec::with_capacity(names.len());
        for (name, data) in named_tensors(&self.model).into_iter().filter(|(name, _)| names.contains(name)) {
            let Some((group, _)) = Group::of(&name) else { continue };
            let [rows, cols] = [0, 1].map(|axis| data.shape()[axis]);
            let values: Vec<f64> = data.iter::<f32>().map(f64::from).collect();
            matrices.push((name, values, rows, cols, job.config.shape_for(group, rows, cols)?));
        }
        let gauge = job.config.gauge;
        let jobs: Vec<mpo::Job> = matrices
            .iter()
            .map(|(_, w, rows, cols, shape)| mpo::Job { w, rows: *rows, cols: *cols, shape, gauge })
            .collect();
        for (unfolded, (name, ..)) in mpo::decompose_all(&jobs).into_iter().zip(&matrices) {
            let unfolded = unfolded.map_err(|source| Error::Shape { flag: name.clone(), source })?;
            let chain = Chain::from_mpo(&unfolded, &job.device.device);
            self.optimizer.unfold(name, Unfolded::new(chain, job.config.core_lr));
        }
        Ok(())
    }

    /// Keeps the present model if it is the best of the main phase.
    pub(super) fn record(&mut self, record: EvaluationRecord) {
        let better = |best: &Best| record.scores.main_value() > best.record.scores.main_value();
        if self.phase == Phase::Main && self.best.as_ref().is_none_or(better) {
            let chains = self.optimizer.unfolded.iter().map(|(name, u)| (name.clone(), u.chain.clone())).collect();
            self.best = Some(Best { record: record.clone(), model: self.model.clone(), chains });
        }
        self.evaluations.push(record);
    }
}
