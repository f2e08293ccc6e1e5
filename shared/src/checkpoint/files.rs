//! Named files: a folder on disk, or bytes in memory.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{CheckpointError, Weights};

/// The files of a model: a folder, or bytes that are part of the program or were fetched.
#[derive(Debug, Clone)]
pub struct Files {
    root: PathBuf,
    memory: Option<Arc<BTreeMap<String, Cow<'static, [u8]>>>>,
}

impl Files {
    /// The files of a folder; nothing is read yet.
    pub fn folder(root: &Path) -> Self {
        Self { root: root.to_owned(), memory: None }
    }

    /// Files in memory; `root` stands for their folder in messages.
    pub fn memory(root: &str, files: BTreeMap<String, Cow<'static, [u8]>>) -> Self {
        Self { root: root.into(), memory: Some(Arc::new(files)) }
    }

    /// The folder, or what stands for it.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The path of a file, for messages.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The contents of a file; `None` if there is no such file.
    ///
    /// # Errors
    /// [`CheckpointError::Io`].
    pub fn read(&self, name: &str) -> Result<Option<Cow<'static, [u8]>>, CheckpointError> {
        if let Some(memory) = &self.memory {
            return Ok(memory.get(name).cloned());
        }
        let path = self.path(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(CheckpointError::io(&path)(error)),
        }
    }

    /// Writes the tokenizer's files to the folder `to`, as they are.
    ///
    /// # Errors
    /// [`CheckpointError::Io`].
    pub fn copy_tokenizer(&self, to: &Path) -> Result<(), CheckpointError> {
        for name in ["tokenizer.json", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json"] {
            if let Some(bytes) = self.read(name)? {
                let path = to.join(name);
                fs::write(&path, bytes).map_err(CheckpointError::io(&path))?;
            }
        }
        Ok(())
    }

    /// Opens `model.safetensors`; on disk it is mapped, not read.
    ///
    /// # Errors
    /// As [`Weights::open`].
    pub fn weights(&self) -> Result<Weights, CheckpointError> {
        const NAME: &str = "model.safetensors";
        let path = self.path(NAME);
        #[cfg(not(target_family = "wasm"))]
        if self.memory.is_none() {
            return Weights::open(&path);
        }
        match self.read(NAME)? {
            Some(bytes) => Weights::from_bytes(&path, bytes),
            None => Err(CheckpointError::NotFound { path, expected: EXPECTED }),
        }
    }
}

/// What makes a folder a model.
pub(super) const EXPECTED: &str = "config.json, model.safetensors and tokenizer.json or vocab.txt";
