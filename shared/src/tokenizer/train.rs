//! A vocabulary from text.

use std::fs;
use std::path::Path;

use serde_json::json;
use tokenizers::models::TrainerWrapper;
use tokenizers::models::wordpiece::{WordPiece, WordPieceTrainerBuilder};
use tokenizers::{AddedToken, Model, Tokenizer};

use super::{CONTINUATION, SPECIAL, from_vocabulary, invalid};
use crate::checkpoint::CheckpointError;

/// Different characters that get tokens of their own, once at the start of a word and once within it: the most frequent
/// ones. Web text has thousands, and each would take two places from words.
fn alphabet(size: usize) -> usize {
    (size / 40).clamp(64, 1000)
}

/// Learns a lower-cased WordPiece vocabulary of `size` tokens from `lines` and writes `tokenizer.json`, `vocab.txt` and
/// `tokenizer_config.json` to the folder `to`. Returns the number of tokens, which is lower if the text has too few.
///
/// `positions`: the longest input of the models that will use it.
///
/// # Errors
/// [`CheckpointError::Tokenizer`] if there is nothing to learn from, [`CheckpointError::Io`].
pub fn train_vocabulary(
    lines: impl Iterator<Item = String> + Send,
    size: usize,
    positions: usize,
    to: &Path,
) -> Result<usize, CheckpointError> {
    let path = to.join("tokenizer.json");
    let failed = |error: tokenizers::Error| invalid(&path, error);
    let trainer = WordPieceTrainerBuilder::new()
        .vocab_size(0)
        .min_frequency(2)
        .limit_alphabet(alphabet(size))
        .continuing_subword_prefix(CONTINUATION.into())
        .show_progress(false)
        .build();
    // The trainer is fed words as they will be met later: cleaned and split by the tokenizer.
    let mut splitter = from_vocabulary(&path, SPECIAL.join("\n").as_bytes(), true)?;
    let mut fed = TrainerWrapper::from(trainer);
    splitter.train(&mut fed, lines).map_err(failed)?;
    let TrainerWrapper::WordPieceTrainer(mut trainer) = fed else {
        return Err(invalid(&path, "not a WordPiece trainer"));
    };
    // Characters come first, in an order of their own: the trainer would number them by a hash table, and by their numbers
    // decide which of two equally frequent pairs becomes a token. So it was asked for the characters alone, and is asked again.
    let mut characters: Vec<String> = splitter.get_model().get_vocab().into_keys().collect();
    if characters.is_empty() {
        return Err(invalid(&path, "the text has no words to learn from"));
    }
    characters.sort_unstable();
    let first = SPECIAL.into_iter().map(str::to_owned).chain(characters);
    trainer.set_special_tokens(first.map(|token| AddedToken::from(token, true)).collect());
    trainer.set_vocab_size(size);
    let mut model = WordPiece::default();
    trainer.train(&mut model).map_err(failed)?;
    let mut tokens: Vec<(String, u32)> = model.get_vocab().into_iter().collect();
    tokens.sort_by_key(|&(_, id)| id);
    let vocabulary: String = tokens.iter().map(|(token, _)| format!("{token}\n")).collect();
    write(&from_vocabulary(&path, vocabulary.as_bytes(), true)?, vocabulary, positions, to)?;
    Ok(tokens.len())
}

fn write(tokenizer: &Tokenizer, vocabulary: String, positions: usize, to: &Path) -> Result<(), CheckpointError> {
    let put = |name: &str, text: String| {
        let path = to.join(name);
        fs::write(&path, text).map_err(CheckpointError::io(&path))
    };
    let path = to.join("tokenizer.json");
    put("tokenizer.json", tokenizer.to_string(true).map_err(|e| invalid(&path, e))?)?;
    put("vocab.txt", vocabulary)?;
    let [pad, unk, cls, sep, mask] = SPECIAL;
    let config = json!({
        "tokenizer_class": "BertTokenizer", "do_lower_case": true, "model_max_length": positions,
        "pad_token": pad, "unk_token": unk, "cls_token": cls, "sep_token": sep, "mask_token": mask,
    });
    put("tokenizer_config.json", format!("{config:#}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Files;
    use crate::tokenizer::WordPiece;

    fn train(text: &str, size: usize) -> (tempfile::TempDir, Result<usize, CheckpointError>) {
        let folder = tempfile::tempdir().unwrap();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let found = train_vocabulary(lines.into_iter(), size, 128, folder.path());
        (folder, found)
    }

    #[test]
    fn both_files_give_the_same_tokens_and_specials_come_first() {
        let text = "Unfold the matrix, fold the matrix.\nThe folded matrix is the matrix.\n".repeat(3);
        let (folder, size) = train(&text, 80);
        let size = size.unwrap();
        assert!((20..=80).contains(&size), "{size}");
        let open = || WordPiece::open(&Files::folder(folder.path()), size, 64).unwrap();
        let by_json = open();
        std::fs::remove_file(folder.path().join("tokenizer.json")).unwrap();
        let by_vocabulary = open();
        for (id, token) in SPECIAL.into_iter().enumerate() {
            assert_eq!(by_json.special(token).unwrap(), id as u32);
        }
        for text in ["the folded matrix", "Unfolded [MASK] matrices!", "éclair 漢"] {
            assert_eq!(by_json.encode(text, None).unwrap(), by_vocabulary.encode(text, None).unwrap());
        }
        let masked = by_json.encode("the [MASK] .", None).unwrap().ids;
        assert!(masked.contains(&4), "{masked:?}");
        // Frequent words are whole, and a word in several pieces is one start and continuations.
        assert_eq!(by_json.encode_bare("matrix the").unwrap().len(), 2);
        let pieces = by_json.encode_bare("foldedthe").unwrap();
        let continues = by_json.continuations();
        let found: Vec<bool> = pieces.iter().map(|&id| continues[id as usize]).collect();
        assert!(found.len() > 1 && !found[0] && found[1..].iter().all(|&c| c), "{found:?}");
    }

    #[test]
    fn a_text_has_one_vocabulary() {
        let text = "The five boxing wizards jump quickly; pack my box with five dozen liquor jugs.\n".repeat(3);
        let read = || std::fs::read_to_string(train(&text, 120).0.path().join("vocab.txt")).unwrap();
        let first = read();
        assert!(first.lines().count() > 50, "{first}");
        for _ in 0..5 {
            assert_eq!(read(), first);
        }
    }

    #[test]
    fn only_a_tokenizer_of_a_model_cuts() {
        let (folder, size) = train(&"fold unfold\n".repeat(9), 40);
        let files = Files::folder(folder.path());
        let unbound = WordPiece::open_unbound(&files).unwrap();
        let one = unbound.encode_bare("fold").unwrap();
        assert_eq!(unbound.encode_bare(&"fold ".repeat(500)).unwrap(), one.repeat(500));
        let bound = WordPiece::open(&files, size.unwrap(), 8).unwrap().encode(&"fold ".repeat(50), None).unwrap();
        assert_eq!((bound.ids.len(), bound.truncated), (8, true));
    }

    #[test]
    fn no_text_is_an_error() {
        assert!(train("", 80).1.unwrap_err().to_string().contains("no words"));
    }
}
