//! WordPiece tokenization, by the `tokenizers` crate.

use std::fs;
use std::path::{Path, PathBuf};

use tokenizers::models::wordpiece::WordPiece as WordPieceModel;
use tokenizers::normalizers::bert::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::bert::BertProcessing;
use tokenizers::utils::truncation::{TruncationParams, TruncationStrategy};
use tokenizers::{EncodeInput, Tokenizer};

use crate::checkpoint::CheckpointError;

/// Spare rows that an embedding may have: sizes are padded for speed, never by this much.
const PADDED_ROWS: usize = 1024;

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
    pub fn open(folder: &Path, embedding_rows: usize, max_length: usize) -> Result<Self, CheckpointError> {
        let json = folder.join("tokenizer.json");
        let vocab = folder.join("vocab.txt");
        let (path, tokenizer) = if json.is_file() {
            let tokenizer = Tokenizer::from_file(&json).map_err(|e| invalid(&json, e))?;
            (json, tokenizer)
        } else if vocab.is_file() {
            let tokenizer = from_vocab(&vocab, lowercase(folder)?)?;
            (vocab, tokenizer)
        } else {
            return Err(CheckpointError::NotFound { path: json, expected: "tokenizer.json or vocab.txt" });
        };
        Self::new(tokenizer, path, embedding_rows, max_length)
    }

    fn new(mut tokenizer: Tokenizer, path: PathBuf, rows: usize, max_length: usize) -> Result<Self, CheckpointError> {
        for token in ["[CLS]", "[SEP]", "[UNK]"] {
            if tokenizer.token_to_id(token).is_none() {
                return Err(invalid(&path, format!("the vocabulary has no `{token}`; BERT needs it")));
            }
        }
        let Some(pad) = tokenizer.token_to_id("[PAD]") else {
            return Err(invalid(&path, "the vocabulary has no `[PAD]`; BERT needs it"));
        };
        let tokens = tokenizer.get_vocab(true).values().max().map_or(0, |&id| id as usize + 1);
        if tokens > rows || tokens + PADDED_ROWS <= rows {
            let reason = format!(
                "the vocabulary has {tokens} tokens, but the model's embedding has {rows} rows (`vocab_size` in \
                 config.json); use the tokenizer that the model was trained with"
            );
            return Err(invalid(&path, reason));
        }
        // Files carry the settings of whoever saved them: sentence-transformers pads everything to 128.
        tokenizer.with_padding(None);
        let truncation =
            TruncationParams { max_length, strategy: TruncationStrategy::LongestFirst, ..Default::default() };
        tokenizer.with_truncation(Some(truncation)).map_err(|e| invalid(&path, e))?;
        Ok(Self { tokenizer, path, pad })
    }

    /// Id of `[PAD]`.
    pub fn pad(&self) -> u32 {
        self.pad
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
}

fn invalid(path: &Path, reason: impl ToString) -> CheckpointError {
    CheckpointError::Tokenizer { path: path.to_owned(), reason: reason.to_string() }
}

/// `do_lower_case` of `tokenizer_config.json`; true if the file is absent, as in `transformers`.
fn lowercase(folder: &Path) -> Result<bool, CheckpointError> {
    let path = folder.join("tokenizer_config.json");
    if !path.is_file() {
        return Ok(true);
    }
    let text = fs::read_to_string(&path).map_err(CheckpointError::io(&path))?;
    let json: serde_json::Value = serde_json::from_str(&text).map_err(|e| invalid(&path, e))?;
    Ok(json.get("do_lower_case").and_then(serde_json::Value::as_bool).unwrap_or(true))
}

fn from_vocab(path: &Path, lowercase: bool) -> Result<Tokenizer, CheckpointError> {
    let bytes = fs::read(path).map_err(CheckpointError::io(path))?;
    let vocabulary = WordPieceModel::read_bytes(&bytes).map_err(|e| invalid(path, e))?;
    let model = WordPieceModel::builder().vocab(vocabulary).build().map_err(|e| invalid(path, e))?;
    let mut tokenizer = Tokenizer::new(model);
    let id = |token: &str| {
        let id = tokenizer.token_to_id(token);
        id.ok_or_else(|| invalid(path, format!("the vocabulary has no `{token}`; BERT needs it")))
    };
    let (sep, cls) = (id("[SEP]")?, id("[CLS]")?);
    let normalizer = BertNormalizer::new(true, true, None, lowercase);
    tokenizer.with_normalizer(Some(normalizer)).map_err(|e| invalid(path, e))?;
    tokenizer.with_pre_tokenizer(Some(BertPreTokenizer));
    tokenizer.with_post_processor(Some(BertProcessing::new(("[SEP]".into(), sep), ("[CLS]".into(), cls))));
    Ok(tokenizer)
}
