//! What the commands that can be resumed have in common.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory};
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

/// What stands on the command line, to tell given flags from defaults.
pub(super) struct Given {
    matches: ArgMatches,
    command: &'static str,
}

impl Given {
    /// `arguments` are the words of the command line, which was parsed before.
    pub fn new(command: &'static str, arguments: &[OsString]) -> Self {
        Self { matches: Cli::command().get_matches_from(arguments), command }
    }

    /// Whether a flag was given; `key` is its field in the configuration.
    pub fn explicit(&self, key: &str) -> bool {
        let matches = self.matches.subcommand_matches(self.command);
        matches.is_some_and(|matches| matches.value_source(key) == Some(ValueSource::CommandLine))
    }

    /// Fails if a given flag is another one than the run in `out` was started with.
    pub fn check_same(&self, given: &impl Serialize, saved: &impl Serialize, out: &Path) -> Result<(), Error> {
        let failed = |e: serde_json::Error| Error::flag("--resume", e.to_string());
        let given = serde_json::to_value(given).map_err(failed)?;
        let saved = serde_json::to_value(saved).map_err(failed)?;
        let Value::Object(given) = given else { return Ok(()) };
        for (key, value) in &given {
            if self.explicit(key) && saved.get(key) != Some(value) {
                let flag = format!("--{}", key.replace('_', "-"));
                let was = saved.get(key).cloned().unwrap_or_default();
                let reason = format!(
                    "{value}, but the run in {} was started with {was}; leave the flag out to go on, or start a new run with another --out",
                    out.display()
                );
                return Err(Error::flag(&flag, reason));
            }
        }
        Ok(())
    }
}
