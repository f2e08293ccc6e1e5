//! `run.json` of a pre-training run.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::windows::Packed;
use super::{Evaluation, Job, PretrainConfig};
use crate::error::Error;
use crate::report::{read_json, write_json};

/// The contents of `run.json`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// `running`, `interrupted` or `finished`.
    pub status: String,
    /// Version of this program.
    pub overfold: String,
    /// The flags.
    pub config: PretrainConfig,
    /// For people.
    pub device: String,
    /// What was made of the text.
    pub text: Packed,
    /// Windows that are learned from, and those of the hold-out loss.
    pub windows: [usize; 2],
    /// Tokens in the vocabulary.
    pub vocabulary: usize,
    /// Optimizer steps.
    pub steps: usize,
    /// Results, when finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub results: Option<Results>,
}

/// What a finished run found.
#[derive(Debug, Serialize, Deserialize)]
pub struct Results {
    /// Parameters of the model, its head for pre-training counted.
    pub parameters: usize,
    /// The hold-out losses.
    pub evaluations: Vec<Evaluation>,
    /// Seconds of training in this process.
    pub seconds: f64,
    /// Tokens a second in this process, evaluations and checkpoints included.
    pub tokens_per_second: f64,
    /// Highest resident memory of the process in bytes, where the system tells.
    pub peak_memory: Option<u64>,
}

impl Report {
    /// The report of a run that has not finished.
    pub fn new(job: &Job, status: &str) -> Self {
        Self {
            status: status.into(),
            overfold: env!("CARGO_PKG_VERSION").into(),
            config: job.config.clone(),
            device: job.device.description(),
            text: job.windows.packed.clone(),
            windows: [job.learned(), job.held_out()],
            vocabulary: job.architecture.vocab_size,
            steps: job.total_steps,
            results: None,
        }
    }

    /// Reads `run.json`.
    ///
    /// # Errors
    /// [`Error::File`] if there is none, or it is of another version or another command.
    pub fn read(run: &Path) -> Result<Self, Error> {
        read_json(run)
    }

    /// Writes `run.json` under a temporary name first.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn write(&self, run: &Path) -> Result<(), Error> {
        write_json(run, self)
    }
}
