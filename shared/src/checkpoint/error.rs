//! What can be wrong with a checkpoint.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::model::ConfigError;

/// Why a checkpoint cannot be read or written. Every message names the file and, where there is one, the key.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A needed file is absent.
    #[error("{}: no such file; a Hugging Face folder with {expected} is expected", path.display())]
    NotFound {
        /// The file that was looked for.
        path: PathBuf,
        /// What the folder must hold.
        expected: &'static str,
    },
    /// `config.json` does not fit.
    #[error("{}: {source}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: ConfigError,
    },
    /// Not a valid safetensors file.
    #[error("{}: not a valid safetensors file: {reason}; download or copy it again", path.display())]
    Safetensors {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// Parameters that the file lacks.
    #[error("{}: {} missing: {}", path.display(), plural(keys.len()), list(keys))]
    Missing {
        /// The file.
        path: PathBuf,
        /// Names of the parameters.
        keys: Vec<String>,
    },
    /// Tensors in the file that the architecture has no place for.
    #[error("{}: {} that config.json has no place for: {}; is it a checkpoint of another architecture?", path.display(),
        plural(keys.len()), list(keys))]
    Unused {
        /// The file.
        path: PathBuf,
        /// Names of the tensors.
        keys: Vec<String>,
    },
    /// A tensor of another shape than the configuration says.
    #[error("{}: `{key}` has shape {found:?}, config.json says {expected:?}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The tensor.
        key: String,
        /// Its shape in the file.
        found: Vec<usize>,
        /// The shape that the configuration asks for.
        expected: Vec<usize>,
    },
    /// A tensor whose numbers are not F32, F16 or BF16.
    #[error("{}: `{key}` has numbers of type {found}, expected F32, F16 or BF16", path.display())]
    Dtype {
        /// The file.
        path: PathBuf,
        /// The tensor.
        key: String,
        /// Its type in the file.
        found: String,
    },
    /// NaN or infinity among the weights.
    #[error("{}: `{key}` is {value} at index {index}; the checkpoint is damaged", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The tensor.
        key: String,
        /// Index into the tensor, row-major.
        index: usize,
        /// NaN or infinite.
        value: f32,
    },
    /// The tokenizer's files cannot be used.
    #[error("{}: {reason}", path.display())]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
}

impl CheckpointError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

fn plural(count: usize) -> String {
    if count == 1 { "1 tensor".into() } else { format!("{count} tensors") }
}

fn list(keys: &[String]) -> String {
    const SHOWN: usize = 6;
    let mut text = keys.iter().take(SHOWN).map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", ");
    if keys.len() > SHOWN {
        text.push_str(&format!(" and {} more", keys.len() - SHOWN));
    }
    text
}
