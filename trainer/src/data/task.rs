//! Tasks by name: the one that comes with the program, and GLUE's.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{DataError, Dataset, glue, reviews};

/// The value of `--task`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Task {
    /// Short opinions; part of the program.
    Reviews,
    /// A task of GLUE, from files.
    Glue(glue::Task),
}

impl Task {
    /// Reads the task's data; `folder` is `--data`.
    ///
    /// # Errors
    /// [`DataError`] names the file, or the flag that is missing or too much.
    pub fn load(self, folder: Option<&Path>) -> Result<Dataset, DataError> {
        match (self, folder) {
            (Self::Reviews, None) => reviews::load(),
            (Self::Reviews, Some(_)) => Err(DataError::DataFlag {
                reason: "`reviews` is part of the program; leave --data out, or use --train and --dev for own files",
            }),
            (Self::Glue(task), Some(folder)) => glue::load(task, folder),
            (Self::Glue(_), None) => Err(DataError::DataFlag {
                reason: "missing; expected the folder of the task, or that of all GLUE tasks (from gluebenchmark.com)",
            }),
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reviews => f.write_str("reviews"),
            Self::Glue(task) => task.fmt(f),
        }
    }
}

impl FromStr for Task {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "reviews" {
            return Ok(Self::Reviews);
        }
        text.parse().map(Self::Glue).map_err(|unknown: glue::UnknownTask| unknown.to_string())
    }
}

impl TryFrom<String> for Task {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Task> for String {
    fn from(task: Task) -> Self {
        task.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_they_were_in_older_runs() {
        for (task, name) in [(Task::Reviews, "reviews"), (Task::Glue(glue::Task::Stsb), "stsb")] {
            assert_eq!(serde_json::to_string(&task).unwrap(), format!("\"{name}\""));
            assert_eq!(name.parse(), Ok(task));
        }
        assert!("sst".parse::<Task>().unwrap_err().contains("reviews, cola"));
    }

    #[test]
    fn reviews_have_no_folder_and_glue_has_one() {
        assert!(Task::Reviews.load(Some(Path::new("."))).unwrap_err().to_string().contains("leave --data out"));
        assert!(Task::Glue(glue::Task::Cola).load(None).unwrap_err().to_string().starts_with("--data: missing"));
    }
}
