//! Everything that can end a command early.

use std::path::{Path, PathBuf};

use overfold::checkpoint::CheckpointError;
use overfold::mpo::MpoError;
use thiserror::Error;

use crate::data::DataError;

/// Why a command stopped. Messages name the file, key or flag, what was expected, and what to do.
#[derive(Debug, Error)]
pub enum Error {
    /// A checkpoint, tokenizer or configuration cannot be used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Data cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A matrix cannot be unfolded in the shape asked for.
    #[error("{flag}: {source}")]
    Shape {
        /// The flag that gave the shape.
        flag: String,
        /// The reason.
        source: MpoError,
    },
    /// A flag's value, or a combination of flags, cannot work.
    #[error("{flag}: {reason}")]
    Flag {
        /// The flag.
        flag: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The device cannot be used.
    #[error("--device {wanted}: {reason}")]
    Device {
        /// The value of `--device`.
        wanted: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A file of a run cannot be read or written.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A run could not write a checkpoint, its log or its result: no room, for example.
    #[error("{source}\nEverything up to the last checkpoint is kept. When this is mended, go on with: overfold {command} --resume --out {}", out.display())]
    Unsaved {
        /// What could not be written.
        source: Box<Error>,
        /// The command that was run.
        command: &'static str,
        /// The run's folder.
        out: PathBuf,
    },
    /// Training cannot go on.
    #[error("{0}")]
    Diverged(String),
    /// A check of the result failed: a bug or a broken driver.
    #[error("{0}")]
    Verification(String),
    /// The model could not be fetched.
    #[error("{0}")]
    Hub(String),
    /// The user pressed Ctrl-C; everything is saved.
    #[error("{message}")]
    Interrupted {
        /// What was saved and how to go on.
        message: String,
    },
}

impl Error {
    /// A flag that cannot work.
    pub fn flag(flag: &str, reason: impl Into<String>) -> Self {
        Self::Flag { flag: flag.into(), reason: reason.into() }
    }

    /// A gradient that is not finite; `rates`: the flags to lower.
    pub fn not_finite(step: usize, loss: f32, rates: &str) -> Self {
        Self::Diverged(format!(
            "step {step}: the gradient is not finite (loss {loss}). Nothing was updated. Lower {rates}, or keep --clip above 0"
        ))
    }

    /// A file that cannot be read or written.
    pub fn file(path: &Path, reason: impl ToString) -> Self {
        Self::File { path: path.to_owned(), reason: reason.to_string() }
    }
}
