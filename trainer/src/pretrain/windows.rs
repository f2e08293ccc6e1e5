//! Text as windows of tokens: `[CLS]`, tokens of one article, `[SEP]`, always full.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use overfold::checkpoint::{CheckpointError, write_folder};
use overfold::tokenizer::WordPiece;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::corpus::{Article, articles};
use crate::error::Error;
use crate::progress::Progress;

/// What was made of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packed {
    /// Tokens in a window, special ones counted.
    pub length: usize,
    /// Number of windows.
    pub windows: usize,
    /// Number of articles.
    pub articles: usize,
    /// Tokens in the text.
    pub tokens: usize,
    /// Tokens at the ends of articles that fill no window and are left out.
    pub left_out: usize,
}

/// The windows of a text: on disk, mapped into memory.
#[derive(Debug)]
pub struct Windows {
    /// What they were made of.
    pub packed: Packed,
    map: Mmap,
}

/// Articles that are tokenized at once.
const CHUNK: usize = 256;
const TOKENS: &str = "tokens.bin";
const RECORD: &str = "tokens.json";

impl Windows {
    /// Tokenizes texts, packs the tokens into windows of `length`, and writes them to `folder`.
    ///
    /// # Errors
    /// [`Error::File`] if a text cannot be read or has no full window, or `folder` cannot be written.
    pub fn prepare(
        what: &'static str,
        texts: &[PathBuf],
        tokenizer: &WordPiece,
        length: usize,
        folder: &Path,
    ) -> Result<Self, Error> {
        write_folder::<Error>(folder, |partial| {
            let path = partial.join(TOKENS);
            let fail = |error: std::io::Error| Error::file(&path, error);
            let mut file = BufWriter::new(File::create(&path).map_err(fail)?);
            let packed = pack(what, texts, tokenizer, length, |window| {
                window.iter().try_for_each(|id| file.write_all(&id.to_le_bytes())).map_err(fail)
            })?;
            file.flush().map_err(fail)?;
            let path = partial.join(RECORD);
            let text = serde_json::to_string_pretty(&packed).map_err(|e| Error::file(&path, e))?;
            fs::write(&path, text).map_err(|e| Error::file(&path, e))
        })?;
        Self::open(folder)
    }

    /// Opens what [`Self::prepare`] wrote.
    ///
    /// # Errors
    /// [`Error::File`] if it is not there or damaged.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(RECORD);
        let text = fs::read_to_string(&path).map_err(|e| Error::file(&path, e))?;
        let packed: Packed = serde_json::from_str(&text).map_err(|e| Error::file(&path, e))?;
        let path = folder.join(TOKENS);
        let file = File::open(&path).map_err(|e| Error::file(&path, e))?;
        // SAFETY: the map is read-only; as with every mapped file, another process must not truncate it meanwhile.
        let map = unsafe { Mmap::map(&file) }.map_err(|e| Error::file(&path, e))?;
        if map.len() != packed.windows * packed.length * size_of::<u32>() {
            return Err(Error::file(&path, "its size is not what tokens.json says; remove the folder and start anew"));
        }
        Ok(Self { packed, map })
    }

    /// The tokens of a window.
    pub fn window(&self, index: usize) -> Vec<u32> {
        let bytes = self.packed.length * size_of::<u32>();
        let raw = &self.map[index * bytes..(index + 1) * bytes];
        raw.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
    }
}

fn pack(
    what: &'static str,
    texts: &[PathBuf],
    tokenizer: &WordPiece,
    length: usize,
    mut sink: impl FnMut(&[u32]) -> Result<(), Error>,
) -> Result<Packed, Error> {
    let (cls, sep) = (tokenizer.special("[CLS]")?, tokenizer.special("[SEP]")?);
    let mut packed = Packed { length, ..Default::default() };
    let mut all = articles(texts)?;
    let mut progress = Progress::counter(what, "articles");
    let mut window = Vec::with_capacity(length);
    loop {
        let chunk: Vec<Article> = all.by_ref().take(CHUNK).collect::<Result<_, _>>()?;
        if chunk.is_empty() {
            break;
        }
        let encoded: Vec<Vec<u32>> =
            chunk.par_iter().map(|article| encode(tokenizer, article)).collect::<Result<_, _>>()?;
        for tokens in encoded {
            let inner = tokens.chunks_exact(length - 2);
            packed.articles += 1;
            packed.tokens += tokens.len();
            packed.left_out += inner.remainder().len();
            for part in inner {
                window.clear();
                window.push(cls);
                window.extend_from_slice(part);
                window.push(sep);
                sink(&window)?;
                packed.windows += 1;
            }
        }
        progress.advance(packed.articles, || format!("{:.1}M tokens", packed.tokens as f64 / 1e6));
    }
    let first = texts.first().map(PathBuf::as_path).unwrap_or(Path::new(""));
    match packed {
        Packed { articles: 0, .. } => Err(Error::file(first, "there is no text; expected one paragraph a line")),
        Packed { windows: 0, tokens, .. } => Err(Error::file(
            first,
            format!(
                "no article fills a window: {tokens} tokens in {} articles, a window takes {}; articles are parted by \
                 blank lines. Shorten the windows with --positions, or give more text",
                packed.articles,
                length - 2
            ),
        )),
        packed => Ok(packed),
    }
}

fn encode(tokenizer: &WordPiece, article: &Article) -> Result<Vec<u32>, CheckpointError> {
    let mut tokens = Vec::new();
    for paragraph in article {
        tokens.extend(tokenizer.encode_bare(paragraph)?);
    }
    Ok(tokens)
}
