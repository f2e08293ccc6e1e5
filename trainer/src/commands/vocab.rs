//! `overfold vocab`: a WordPiece vocabulary from text.

use std::sync::Mutex;

use overfold::checkpoint::write_folder;
use overfold::tokenizer::train_vocabulary;

use crate::cli::VocabArgs;
use crate::error::Error;
use crate::pretrain::corpus::articles;

/// Special tokens, and a character or two for each letter: fewer can spell nothing.
const SMALLEST: usize = 64;

pub(super) fn run(args: &VocabArgs) -> Result<(), Error> {
    if args.out.exists() {
        return Err(Error::flag("--out", format!("{} exists; choose another folder", args.out.display())));
    }
    if args.size < SMALLEST {
        return Err(Error::flag("--size", format!("{}; expected at least {SMALLEST} tokens", args.size)));
    }
    // The trainer takes lines, not errors: the first error ends the text, and is kept.
    let failure = Mutex::new(None);
    let lines = articles(&args.text)?.map_while(|article| match article {
        Ok(article) => Some(article),
        Err(error) => {
            if let Ok(mut failure) = failure.lock() {
                failure.get_or_insert(error);
            }
            None
        }
    });
    let mut size = 0;
    write_folder::<Error>(&args.out, |folder| {
        let trained = train_vocabulary(lines.flatten(), args.size, args.positions, folder);
        if let Some(error) = failure.lock().ok().and_then(|mut failure| failure.take()) {
            return Err(error);
        }
        size = trained?;
        Ok(())
    })?;
    let folder = args.out.display();
    println!("{folder} holds a vocabulary of {size} tokens");
    if size < args.size {
        eprintln!("note: the text has words for {size} tokens only, not {}", args.size);
    }
    Ok(())
}
