//! The files of a Hugging Face folder.

use std::path::Path;

use super::files::EXPECTED;
use super::{CheckpointError, Files, Weights};
use crate::model::{BertConfig, ConfigError};
use crate::tokenizer::WordPiece;

/// `config.json`, `model.safetensors` and a tokenizer.
#[derive(Debug, Clone)]
pub struct Folder {
    files: Files,
    /// The parsed `config.json`.
    pub config: BertConfig,
}

impl Folder {
    /// Reads and checks `config.json` of a folder on disk; the weights are read later.
    ///
    /// # Errors
    /// [`CheckpointError`] names the file and what is wrong with it.
    pub fn open(root: &Path) -> Result<Self, CheckpointError> {
        Self::from_files(Files::folder(root))
    }

    /// The same for files wherever they are.
    ///
    /// # Errors
    /// [`CheckpointError`] names the file and what is wrong with it.
    pub fn from_files(files: Files) -> Result<Self, CheckpointError> {
        let path = files.path("config.json");
        let Some(bytes) = files.read("config.json")? else {
            return Err(CheckpointError::NotFound { path, expected: EXPECTED });
        };
        let config = serde_json::from_slice(&bytes).map_err(ConfigError::from).and_then(BertConfig::from_value);
        Ok(Self { config: config.map_err(|source| CheckpointError::Config { path, source })?, files })
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        self.files.root()
    }

    /// Its files.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// Opens `model.safetensors`.
    ///
    /// # Errors
    /// As [`Weights::open`].
    pub fn weights(&self) -> Result<Weights, CheckpointError> {
        self.files.weights()
    }

    /// The tokenizer, cutting at `max_length` tokens.
    ///
    /// # Errors
    /// As [`WordPiece::open`].
    pub fn tokenizer(&self, max_length: usize) -> Result<WordPiece, CheckpointError> {
        WordPiece::open(&self.files, self.config.vocab_size, max_length)
    }
}
