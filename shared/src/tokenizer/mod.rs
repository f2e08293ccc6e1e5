//! WordPiece tokenization, by the `tokenizers` crate.

mod train;

use std::path::{Path, PathBuf};

use tokenizers::models::wordpiece::WordPiece as WordPieceModel;
use tokenizers::normalizers::bert::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::bert::BertProcessing;
use tokenizers::utils::truncation::{TruncationParams, TruncationStrategy};
use tokenizers::{AddedToken, EncodeInput, Tokenizer};

use crate::checkpoint::{CheckpointError, Files};

pub use train::train_vocabulary;

/// Spare rows that an embedding may have: sizes are padded for speed, never by this much.
const PADDED_ROWS: usize = 1024;

/// BERT's special tokens, in the order of its vocabularies.
pub const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// What continues a word.
const CONTINUATION: &str = "##";

/// The tokenizer of a checkpoint, cutting at a fixed length.
#[derive(Debug, Clone)]
pub struct WordPiece {
    tokenizer: Tokenizer,
    path: PathBuf,
    pad: u32,
}

/// One text or pair as token ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// With `[CLS]` and `[SEP]`.
    pub ids: Vec<u32>,
    /// Segment of each token.
    pub type_ids: Vec<u32>,
    /// Whether tokens were cut off to fit.
    pub truncated: bool,
}

impl WordPiece {
    /// Reads `tokenizer.json`, or builds the tokenizer from `vocab.txt`.
    ///
    /// `embedding_rows` is the model's vocabulary size, `max_length` the longest output in tokens; where texts are too
    /// long, tokens are cut from the end of the longer one.
    ///
    /// # Errors
    /// [`CheckpointError`] if files are missing or damaged, lack special tokens, or do not match the embedding.
    pub fn open(files: &Files, embedding_rows: usize, max_length: usize) -> Result<Self, CheckpointError> {
        let mut this = Self::open_unbound(files)?;
        let (tokens, rows) = (this.size(), embedding_rows);
        if tokens > rows || tokens + PADDED_ROWS <= rows {
            let reason = format!(
                "the vocabulary has {tokens} tokens, but the model's embedding has {rows} rows (`vocab_size` in \
                 config.json); use the tokenizer that the model was trained with"
            );
            return Err(invalid(&this.path, reason));
        }
        let truncation =
            TruncationParams { max_length, strategy: TruncationStrategy::LongestFirst, ..Default::default() };
        this.tokenizer.with_truncation(Some(truncation)).map_err(|e| invalid(&this.path, e))?;
        Ok(this)
    }

    /// The contents of a `tokenizer.json`.
    ///
    /// # Errors
    /// [`CheckpointError::Tokenizer`] if it cannot be written down.
    pub fn to_json(&self) -> Result<String, CheckpointError> {
        self.tokenizer.to_string(false).map_err(|e| invalid(&self.path, e))
    }

    /// The same before there is a model that it has to match; nothing is cut.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_unbound(files: &Files) -> Result<Self, CheckpointError> {
        let (json, vocab) = (files.path("tokenizer.json"), files.path("vocab.txt"));
        let (path, mut tokenizer) = if let Some(bytes) = files.read("tokenizer.json")? {
            let tokenizer = Tokenizer::from_bytes(&bytes).map_err(|e| invalid(&json, e))?;
            (json, tokenizer)
        } else if let Some(bytes) = files.read("vocab.txt")? {
            let tokenizer = from_vocabulary(&vocab, &bytes, lowercase(files)?)?;
            (vocab, tokenizer)
        } else {
            return Err(CheckpointError::NotFound { path: json, expected: "tokenizer.json or vocab.txt" });
        };
        for token in ["[CLS]", "[SEP]", "[UNK]"] {
            special(&tokenizer, token, &path)?;
        }
        let pad = special(&tokenizer, "[PAD]", &path)?;
        // Files carry the settings of whoever saved them: sentence-transformers pads everything to 128.
        tokenizer.with_padding(None).with_truncation(None).map_err(|e| invalid(&path, e))?;
        Ok(Self { tokenizer, path, pad })
    }

    /// Rows that an embedding needs: one more than the highest id.
    pub fn size(&self) -> usize {
        self.tokenizer.get_vocab(true).values().max().map_or(0, |&id| id as usize + 1)
    }

    /// Id of `[PAD]`.
    pub fn pad(&self) -> u32 {
        self.pad
    }

    /// Id of a special token.
    ///
    /// # Errors
    /// [`CheckpointError::Tokenizer`] if the vocabulary lacks it.
    pub fn special(&self, token: &str) -> Result<u32, CheckpointError> {
        special(&self.tokenizer, token, &self.path)
    }

    /// The token of an id, as the vocabulary spells it.
    pub fn token(&self, id: u32) -> Option<String> {
        self.tokenizer.id_to_token(id)
    }

    /// For every id, whether it continues a word (`##…`).
    pub fn continuations(&self) -> Vec<bool> {
        let continues = |id| self.token(id).is_some_and(|token| token.starts_with(CONTINUATION));
        (0..self.size() as u32).map(continues).collect()
    }

    /// Encodes a text, or a pair of texts.
    ///
    /// # Errors
    /// [`CheckpointError::Tokenizer`] if the tokenizer's files contradict themselves.
    pub fn encode(&self, text: &str, pair: Option<&str>) -> Result<Encoded, CheckpointError> {
        let input: EncodeInput = match pair {
            Some(pair) => (text, pair).into(),
            None => text.into(),
        };
        let encoding = self.tokenizer.encode(input, true).map_err(|e| invalid(&self.path, e))?;
        Ok(Encoded {
            ids: encoding.get_ids().to_vec(),
            type_ids: encoding.get_type_ids().to_vec(),
            truncated: !encoding.get_overflowing().is_empty(),
        })
    }

    /// The tokens of a text alone, without special ones.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn encode_bare(&self, text: &str) -> Result<Vec<u32>, CheckpointError> {
        let encoding = self.tokenizer.encode(text, false).map_err(|e| invalid(&self.path, e))?;
        Ok(encoding.get_ids().to_vec())
    }
}

fn special(tokenizer: &Tokenizer, token: &str, path: &Path) -> Result<u32, CheckpointError> {
    let missing = || invalid(path, format!("the vocabulary has no `{token}`; BERT needs it"));
    tokenizer.token_to_id(token).ok_or_else(missing)
}

fn invalid(path: &Path, reason: impl ToString) -> CheckpointError {
    CheckpointError::Tokenizer { path: path.to_owned(), reason: reason.to_string() }
}

/// `do_lower_case` of `tokenizer_config.json`; true if the file is absent, as in `transformers`.
fn lowercase(files: &Files) -> Result<bool, CheckpointError> {
    const NAME: &str = "tokenizer_config.json";
    let Some(bytes) = files.read(NAME)? else { return Ok(true) };
    let json: serde_json::Value = serde_json::from_slice(&bytes).map_err(|e| invalid(&files.path(NAME), e))?;
    Ok(json.get("do_lower_case").and_then(serde_json::Value::as_bool).unwrap_or(true))
}

/// A tokenizer that cleans, splits and marks texts as BERT does. `bytes`: a `vocab.txt`.
fn from_vocabulary(path: &Path, bytes: &[u8], lowercase: bool) -> Result<Tokenizer, CheckpointError> {
    let vocabulary = WordPieceModel::read_bytes(bytes).map_err(|e| invalid(path, e))?;
    let model = WordPieceModel::builder().vocab(vocabulary).build().map_err(|e| invalid(path, e))?;
    let mut tokenizer = Tokenizer::new(model);
    let normalizer = BertNormalizer::new(true, true, None, lowercase);
    tokenizer.with_normalizer(Some(normalizer)).map_err(|e| invalid(path, e))?;
    tokenizer.with_pre_tokenizer(Some(BertPreTokenizer));
    let (sep, cls) = (special(&tokenizer, "[SEP]", path)?, special(&tokenizer, "[CLS]", path)?);
    tokenizer.with_post_processor(Some(BertProcessing::new(("[SEP]".into(), sep), ("[CLS]".into(), cls))));
    // Not split at their brackets, should a text have them.
    let known = SPECIAL.into_iter().filter(|token| tokenizer.token_to_id(token).is_some());
    let tokens: Vec<AddedToken> = known.map(|token| AddedToken::from(token, true)).collect();
    tokenizer.add_special_tokens(tokens).map_err(|e| invalid(path, e))?;
    Ok(tokenizer)
}
