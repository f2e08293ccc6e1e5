//! `overfold eval --holdout`: how well a pre-trained model finds the hidden words of a text.

use overfold::checkpoint::load_masked;
use overfold::tokenizer::WordPiece;
use serde_json::json;

use crate::cli::EvalArgs;
use crate::device;
use crate::error::Error;
use crate::hub;
use crate::pretrain::{Found, Reading};

/// BERT's share of hidden tokens.
const MASK: f64 = 0.15;

pub(super) fn run(args: &EvalArgs) -> Result<(), Error> {
    for (flag, value) in [("--batch", args.batch), ("--holdout-windows", args.holdout_windows)] {
        if value == 0 {
            return Err(Error::flag(flag, "0; expected at least 1"));
        }
    }
    let folder = hub::open(&args.model)?;
    let length = args.max_length.min(folder.config.max_position_embeddings);
    if length < Reading::SHORTEST {
        let reason = format!("windows of {length} tokens; expected at least {}", Reading::SHORTEST);
        return Err(Error::flag("--max-length", reason));
    }
    // For its check that vocabulary and model fit; windows are cut from texts that are not.
    folder.tokenizer(length)?;
    let tokenizer = WordPiece::open_unbound(folder.files())?;
    let opened = device::open(args.device)?;
    let (model, _) = load_masked(&folder.weights()?, &folder.config, &opened.device)?;
    let reading = Reading { length, windows: args.holdout_windows, batch: args.batch, mask: MASK };
    let tokens = tempfile::tempdir().map_err(|e| Error::file(&std::env::temp_dir(), e))?;
    let folder = tokens.path().join("tokens");
    let found = Found::of_texts(&model, &tokenizer, &args.holdout, &folder, reading, &opened.device)?;
    if args.json {
        println!("{}", json!({ "holdout": args.holdout, "found": found, "device": opened.description() }));
    } else {
        let Found { windows, hidden, loss, perplexity, accuracy } = found;
        println!(
            "{hidden} hidden tokens in {windows} windows of {length} · loss {loss:.4}, perplexity {perplexity:.2}, \
             accuracy {accuracy:.4}"
        );
    }
    Ok(())
}
