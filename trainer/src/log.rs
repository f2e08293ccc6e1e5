//! `log.jsonl`: one JSON object for each measured step, selection and evaluation.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use crate::error::Error;
use crate::report::replace_file;
use crate::training::Phase;

/// The entries of a run's log.
///
/// # Errors
/// [`Error::File`] if there is none, or a line is no JSON.
pub fn read(run: &Path) -> Result<Vec<Value>, Error> {
    let path = run.join("log.jsonl");
    let text = fs::read_to_string(&path)
        .map_err(|e| Error::file(&path, format!("{e}; expected the folder of a run (its --out)")))?;
    text.lines().map(|line| serde_json::from_str(line).map_err(|e| Error::file(&path, e))).collect()
}

/// An open log.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    /// Starts the log of a new run.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn create(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("log.jsonl");
        let file = File::create(&path).map_err(|e| Error::file(&path, e))?;
        Ok(Self { path, file })
    }

    /// Opens the log of an interrupted run and drops what was written after the checkpoint at `step` of `phase`.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn resume(folder: &Path, phase: Phase, step: usize) -> Result<Self, Error> {
        let path = folder.join("log.jsonl");
        let text = fs::read_to_string(&path).map_err(|e| Error::file(&path, e))?;
        let kept: String = text
            .lines()
            .filter(|line| {
                let Ok(entry) = serde_json::from_str::<Value>(line) else { return false };
                let at = entry["step"].as_u64().unwrap_or(0) as usize;
                let reference = entry["phase"] == "reference";
                if phase == Phase::Main { reference || at <= step } else { reference && at <= step }
            })
            .flat_map(|line| [line, "\n"])
            .collect();
        replace_file(&path, &kept)?;
        let file = OpenOptions::new().append(true).open(&path).map_err(|e| Error::file(&path, e))?;
        Ok(Self { path, file })
    }

    /// Appends one entry.
    ///
    /// # Errors
    /// [`Error::File`], a full disk for example.
    pub fn write(&mut self, entry: &impl Serialize) -> Result<(), Error> {
        let mut line = serde_json::to_string(entry).map_err(|e| Error::file(&self.path, e))?;
        line.push('\n');
        self.file.write_all(line.as_bytes()).map_err(|e| Error::file(&self.path, e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn resuming_drops_what_came_after_the_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = Log::create(folder.path()).unwrap();
        for (phase, step) in [("reference", 10), ("reference", 20), ("main", 10), ("main", 20)] {
            log.write(&json!({"phase": phase, "step": step})).unwrap();
        }
        log.file.write_all(b"{\"phase\":\"ma").unwrap();
        let mut log = Log::resume(folder.path(), Phase::Main, 10).unwrap();
        log.write(&json!({"phase": "main", "step": 11})).unwrap();
        let text = fs::read_to_string(folder.path().join("log.jsonl")).unwrap();
        let steps: Vec<u64> =
            text.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()["step"].as_u64().unwrap()).collect();
        assert_eq!(steps, [10, 20, 10, 11]);
    }
}
