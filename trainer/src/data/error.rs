//! What can be wrong with data.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why data cannot be used. Messages name the file, the line (from 1), the column or flag, what was expected and, where
/// it is not plain, what to do.
#[derive(Debug, Error)]
pub enum DataError {
    /// The file cannot be read.
    #[error("{}: {source}; check the path and its permissions", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A task's files are not where they were looked for.
    #[error("--data {}: no {task} here; looked for {}; {}", folder.display(), looked.join(" and "), advice(folder))]
    NoTask {
        /// `--data`.
        folder: PathBuf,
        /// The task.
        task: String,
        /// Paths that do not exist.
        looked: Vec<String>,
    },
    /// `--data` is missing, or too much.
    #[error("--data: {reason}")]
    DataFlag {
        /// What is wrong and what to do.
        reason: &'static str,
    },
    /// The file's name does not tell its format.
    #[error("{}: unknown format; expected a name that ends in {expected}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Supported endings.
        expected: &'static str,
    },
    /// Not UTF-8.
    #[error(
        "{}:{line}: not UTF-8 (byte {offset} of the file, from 0); \
         convert it, for example by `iconv -f {guess} -t utf-8`",
        path.display()
    )]
    Encoding {
        /// The file.
        path: PathBuf,
        /// Line.
        line: usize,
        /// Offset of the first bad byte, from 0.
        offset: usize,
        /// What the encoding may be, in the words of `iconv`.
        guess: &'static str,
    },
    /// No column of this name.
    #[error("{}: no column `{column}`; the columns are {}{}", path.display(), list(columns), hint(column, columns))]
    Column {
        /// The file.
        path: PathBuf,
        /// The name that was asked for.
        column: String,
        /// Names in the file.
        columns: Vec<String>,
    },
    /// A line that cannot be used.
    #[error("{}:{line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Line.
        line: usize,
        /// What is wrong, and what is expected.
        reason: String,
    },
    /// The file as a whole cannot be used.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what is expected.
        reason: String,
    },
}

impl DataError {
    pub(super) fn line(path: &Path, line: usize, reason: impl Into<String>) -> Self {
        Self::Line { path: path.to_owned(), line, reason: reason.into() }
    }

    pub(super) fn file(path: &Path, reason: impl Into<String>) -> Self {
        Self::File { path: path.to_owned(), reason: reason.into() }
    }
}

/// Names for a message; of very many only the first.
pub(super) fn list(names: &[String]) -> String {
    const SHOWN: usize = 20;
    match names.len().saturating_sub(SHOWN) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..SHOWN].join(", ")),
    }
}

fn advice(folder: &Path) -> &'static str {
    if folder.is_dir() { "give the task's folder, or the one that holds it" } else { "there is no such folder" }
}

fn hint(wanted: &str, columns: &[String]) -> String {
    // One long name is a header that was cut at the wrong character.
    if let [only] = columns
        && let Some(separator) = ['\t', ';', ','].into_iter().find(|&c| only.contains(c))
    {
        return format!("; is {separator:?} the separator? .tsv needs tabs, .csv commas");
    }
    let letters = wanted.chars().count();
    // Not every letter may differ.
    let most = letters.saturating_sub(1).min(1 + letters / 3);
    let near = columns.iter().map(|column| (distance(wanted, column), column)).min();
    match near {
        Some((edits, column)) if edits <= most => format!("; did you mean `{column}`?"),
        _ => String::new(),
    }
}

/// Levenshtein distance, without regard to case.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.chars().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_column_is_suggested_and_a_far_one_is_not() {
        let columns = ["Sentence".to_owned(), "label".to_owned()];
        assert_eq!(hint("sentence", &columns), "; did you mean `Sentence`?");
        assert_eq!(hint("lable", &columns), "; did you mean `label`?");
        assert_eq!(hint("category", &columns), "");
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }

    #[test]
    fn a_wrong_separator_is_guessed() {
        assert!(hint("text", &["text;label".to_owned()]).contains("is ';' the separator?"));
        assert!(hint("text", &["text\tlabel".to_owned()]).contains("is '\\t' the separator?"));
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (0..25).map(|k| k.to_string()).collect();
        assert!(list(&names).ends_with("18, 19 and 5 more"), "{}", list(&names));
        assert_eq!(list(&names[..2]), "0, 1");
    }
}
