//! A model by folder or by its name on the Hugging Face hub.

use std::path::{Path, PathBuf};

use hf_hub::api::sync::{Api, ApiError};
use overfold::checkpoint::Folder;

use crate::builtin;
use crate::error::Error;

/// Opens the model of the program, or the folder that `model` names, fetching it from the hub (or its local cache) if it is not a folder.
///
/// # Errors
/// [`Error::Checkpoint`] if the folder is not usable, [`Error::Hub`] if the name cannot be fetched.
pub fn open(model: &str) -> Result<Folder, Error> {
    if model == builtin::NAME {
        return Ok(builtin::open()?);
    }
    let path = Path::new(model);
    if path.is_dir() {
        return Ok(Folder::open(path)?);
    }
    if !looks_like_name(model) {
        return Err(Error::Hub(format!(
            "{model}: no such folder, and not a name on the hub (OWNER/NAME or NAME); expected a Hugging Face folder \
             with config.json, model.safetensors and a tokenizer"
        )));
    }
    Ok(Folder::open(&fetch(model)?)?)
}

/// A hub name is NAME or OWNER/NAME of letters, digits, `-`, `_` and `.`; a path has more or starts with a dot.
fn looks_like_name(model: &str) -> bool {
    let parts: Vec<&str> = model.split('/').collect();
    let valid = |part: &&str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    parts.len() <= 2 && parts.iter().all(valid)
}

fn fetch(name: &str) -> Result<PathBuf, Error> {
    let failed = |error: ApiError| {
        Error::Hub(format!(
            "{name}: not a folder here, and it cannot be fetched from the hub: {error}. Offline, download the folder \
             elsewhere (`hf download {name}`) and pass its path to --model"
        ))
    };
    let repository = Api::new().map_err(failed)?.model(name.to_owned());
    let config = repository.get("config.json").map_err(failed)?;
    repository.get("model.safetensors").map_err(failed)?;
    // Either is enough; the rest is optional.
    let tokenizer = repository.get("tokenizer.json").or_else(|_| repository.get("vocab.txt"));
    tokenizer.map_err(failed)?;
    for optional in ["vocab.txt", "tokenizer_config.json", "special_tokens_map.json"] {
        // A model without these files is complete; a real failure would have shown above.
        let _ = repository.get(optional);
    }
    config.parent().map(Path::to_owned).ok_or_else(|| Error::Hub(format!("{name}: the hub's cache has no folder")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_names_from_paths() {
        assert!(looks_like_name("bert-base-uncased"));
        assert!(looks_like_name("sentence-transformers/all-MiniLM-L6-v2"));
        for path in ["./model", "/models/mini", "a/b/c", "../x", "runs/my model"] {
            assert!(!looks_like_name(path), "{path}");
        }
        assert!(open("/no/such/folder").unwrap_err().to_string().contains("no such folder"));
    }
}
