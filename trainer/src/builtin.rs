//! The model that is part of the program (`assets/overfold-small` has its model card).

use std::borrow::Cow;
use std::collections::BTreeMap;

use overfold::checkpoint::{CheckpointError, Files, Folder};

/// Its name, for `--model`.
pub const NAME: &str = "overfold-small";

/// Opens it.
///
/// # Errors
/// Never with the files that the program was built with.
pub fn open() -> Result<Folder, CheckpointError> {
    macro_rules! files {
        ($($name:literal),*) => {
            [$(($name, &include_bytes!(concat!("../assets/overfold-small/", $name))[..])),*]
        };
    }
    let files = files!["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt"];
    let files = files.into_iter().map(|(name, bytes)| (name.to_owned(), Cow::Borrowed(bytes)));
    Folder::from_files(Files::memory(NAME, files.collect::<BTreeMap<_, _>>()))
}
