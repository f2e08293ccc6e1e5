//! The files of a Hugging Face folder.

use std::fs;
use std::path::{Path, PathBuf};

use super::{CheckpointError, Weights};
use crate::model::BertConfig;

/// A folder with `config.json`, `model.safetensors` and a tokenizer.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
    /// The parsed `config.json`.
    pub config: BertConfig,
}

impl Folder {
    /// The tokenizer's files, which are copied as they are.
    const TOKENIZER: [&str; 4] = ["tokenizer.json", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json"];

    /// Reads and checks `config.json`; the weights are read later.
    ///
    /// # Errors
    /// [`CheckpointError`] names the file and what is wrong with it.
    pub fn open(root: &Path) -> Result<Self, CheckpointError> {
        let path = root.join("config.json");
        if !path.is_file() {
            let expected = "config.json, model.safetensors and tokenizer.json or vocab.txt";
            return Err(CheckpointError::NotFound { path, expected });
        }
        let text = fs::read_to_string(&path).map_err(CheckpointError::io(&path))?;
        let config = BertConfig::from_json(&text).map_err(|source| CheckpointError::Config { path, source })?;
        Ok(Self { root: root.to_owned(), config })
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Opens `model.safetensors`.
    ///
    /// # Errors
    /// As [`Weights::open`].
    pub fn weights(&self) -> Result<Weights, CheckpointError> {
        Weights::open(&self.root.join("model.safetensors"))
    }

    /// Copies the tokenizer's files to `to`.
    ///
    /// # Errors
    /// [`CheckpointError::Io`].
    pub fn copy_tokenizer(&self, to: &Path) -> Result<(), CheckpointError> {
        for name in Self::TOKENIZER {
            let from = self.root.join(name);
            if from.is_file() {
                fs::copy(&from, to.join(name)).map_err(CheckpointError::io(&from))?;
            }
        }
        Ok(())
    }
}
