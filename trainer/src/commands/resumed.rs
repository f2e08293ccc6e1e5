//! What the commands that can be resumed have in common.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::CommandFactory;
use clap::parser::ValueSource;
use serde::Serialize;
use serde_json::Value;

use crate::cli::Cli;
use crate::error::Error;

/// A flag that Ctrl-C sets; the second Ctrl-C does not wait.
pub(super) fn stop_flag() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let handler = ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    if let Err(error) = handler {
        eprintln!("note: Ctrl-C will not save a checkpoint: {error}");
    }
    stop
}

/// An error for an `--out` that exists.
pub(super) fn refuse_existing(out: &Path) -> Result<(), Error> {
    if !out.exists() {
        return Ok(());
    }
    let reason =
        format!("{} exists; choose another folder, or add --resume to go on with an interrupted run", out.display());
    Err(Error::flag("--out", reason))
}

/// How a run that Ctrl-C ended goes on.
pub(super) fn interrupted(command: &str, out: &Path) -> Error {
    let out = out.display();
    let message = format!("interrupted; everything is saved. Go on with: overfold {command} --resume --out {out}");
    Error::Interrupted { message }
}

/// What a run could not write, with how it goes on when there is room again; other errors as they are.
pub(super) fn unsaved(error: Error, command: &'static str, out: &Path) -> Error {
    match error {
        Error::File { .. } | Error::Checkpoint(_) => {
            Error::Unsaved { source: Box::new(error), command, out: out.to_owned() }
        }
        error => error,
    }
}

/// Whether a flag stands on the command line, of which `arguments` are the words; `key` is its id.
pub(super) fn explicit(command: &str, arguments: &[OsString], key: &str) -> bool {
    let matches = Cli::command().get_matches_from(arguments);
    let source = matches.subcommand_matches(command).and_then(|matches| matches.value_source(key));
    source == Some(ValueSource::CommandLine)
}

/// Fails if the run in `out` is finished, or a flag on the command line is another one than it was started with.
///
/// `arguments` are the words of the command line, to tell given flags from defaults.
pub(super) fn check_resumable(
    command: &str,
    arguments: &[OsString],
    given: &impl Serialize,
    saved: &impl Serialize,
    status: &str,
    out: &Path,
) -> Result<(), Error> {
    let folder = out.display();
    if status == "finished" {
        let reason = format!("the run in {folder} is finished; its model lies in {folder}/model");
        return Err(Error::flag("--resume", reason));
    }
    let failed = |e: serde_json::Error| Error::flag("--resume", e.to_string());
    let given = serde_json::to_value(given).map_err(failed)?;
    let saved = serde_json::to_value(saved).map_err(failed)?;
    let Value::Object(given) = given else { return Ok(()) };
    for (key, value) in &given {
        // Keys of the configuration are ids of the flags.
        if saved.get(key) != Some(value) && explicit(command, arguments, key) {
            let flag = format!("--{}", key.replace('_', "-"));
            let was = saved.get(key).cloned().unwrap_or_default();
            let reason = format!(
                "{value}, but the run in {folder} was started with {was}; leave the flag out to go on, or start a new run with another --out"
            );
            return Err(Error::flag(&flag, reason));
        }
    }
    Ok(())
}
