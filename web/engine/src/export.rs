//! A downloaded export: the manifest, the files that it names, and the tokenizer.

use std::borrow::Cow;
use std::collections::BTreeMap;

use overfold::checkpoint::{Files, Folder, Weights};
use overfold::manifest::{self, Manifest};
use overfold::model::BertConfig;
use overfold::tokenizer::WordPiece;
use serde::Serialize;

use crate::{EngineError, merge};

/// Pieces of what was cut off that are named; the others are counted.
const SHOWN: usize = 24;

/// An export whose files fit each other.
pub struct Export {
    manifest: Manifest,
    config: BertConfig,
    tokenizer: WordPiece,
    weights: Vec<Weights>,
}

/// A text as the models see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Encoded {
    /// Token ids, `[CLS]` and `[SEP]` included.
    pub ids: Vec<u32>,
    /// The tokens as the vocabulary spells them; `##` continues a word.
    pub pieces: Vec<String>,
    /// How many tokens were cut off, since the models take no more.
    pub cut: usize,
    /// The first of them.
    pub cut_pieces: Vec<String>,
}

impl Export {
    /// Takes the text of `manifest.json` and the files by the names that it gives them.
    ///
    /// # Errors
    /// [`EngineError`] names the file that is missing, damaged or of another version.
    pub fn open(manifest: &str, mut files: BTreeMap<String, Cow<'static, [u8]>>) -> Result<Self, EngineError> {
        let manifest = parse(manifest)?;
        let mut folder = BTreeMap::new();
        for name in ["config.json", "tokenizer.json"] {
            folder.insert(name.to_owned(), take(&mut files, name)?);
        }
        let folder = Folder::from_files(Files::memory("", folder))?;
        // Nothing is cut by the tokenizer, so that what the models do not see can be shown.
        let tokenizer = folder.tokenizer(usize::MAX)?;
        let mut weights = Vec::new();
        for (index, model) in manifest.models.iter().enumerate() {
            let part = |name: &String| Ok((name.clone(), take(&mut files, name)?));
            let parts = model.weights.iter().map(part).collect::<Result<_, EngineError>>()?;
            weights.push(merge::open(&format!("model {index}"), parts)?);
        }
        Ok(Self { manifest, config: folder.config, tokenizer, weights })
    }

    /// What `manifest.json` says.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The architecture of all models.
    pub fn config(&self) -> &BertConfig {
        &self.config
    }

    /// Longest input in tokens.
    pub fn max_length(&self) -> usize {
        self.manifest.max_length.min(self.config.max_position_embeddings)
    }

    /// Id of `[PAD]`.
    pub fn pad(&self) -> u32 {
        self.tokenizer.pad()
    }

    /// The weights of each model.
    pub fn weights(&self) -> &[Weights] {
        &self.weights
    }

    /// Splits a text into the tokens that the models see.
    ///
    /// # Errors
    /// [`EngineError::Checkpoint`] if the tokenizer's file contradicts itself.
    pub fn encode(&self, text: &str) -> Result<Encoded, EngineError> {
        let mut ids = self.tokenizer.encode(text, None)?.ids;
        let room = self.max_length();
        let mut rest = Vec::new();
        if ids.len() > room
            && let Some(end) = ids.pop()
        {
            rest = ids.split_off(room - 1);
            ids.push(end);
        }
        let spell = |ids: &[u32]| ids.iter().map(|&id| self.tokenizer.token(id).unwrap_or_default()).collect();
        let cut_pieces = spell(&rest[..rest.len().min(SHOWN)]);
        Ok(Encoded { pieces: spell(&ids), cut: rest.len(), cut_pieces, ids })
    }
}

fn parse(text: &str) -> Result<Manifest, EngineError> {
    /// Read first: another version may have other keys.
    #[derive(serde::Deserialize)]
    struct Version {
        version: u32,
    }
    let invalid = |error: serde_json::Error| EngineError::Manifest(error.to_string());
    let found = serde_json::from_str::<Version>(text).map_err(invalid)?.version;
    if found != manifest::VERSION {
        return Err(EngineError::Manifest(format!("version {found}, expected {}", manifest::VERSION)));
    }
    let manifest: Manifest = serde_json::from_str(text).map_err(invalid)?;
    if manifest.models.is_empty() || manifest.labels.len() < 2 || manifest.max_length < 3 {
        return Err(EngineError::Manifest("at least one model, two labels and three tokens are needed".into()));
    }
    Ok(manifest)
}

fn take<T>(files: &mut BTreeMap<String, T>, name: &str) -> Result<T, EngineError> {
    files.remove(name).ok_or_else(|| EngineError::Absent(name.to_owned()))
}
