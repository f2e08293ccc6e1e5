//! What can be wrong with data.

use std::path::PathBuf;

use thiserror::Error;

/// Why data cannot be used. Messages name the file, the line (from 1) and the column.
#[derive(Debug, Error)]
pub enum DataError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A task's files are not where they were looked for.
    #[error("{}: no {} here; looked for {}", folder.display(), task, looked.join(" and "))]
    NoTask {
        /// `--data`.
        folder: PathBuf,
        /// The task.
        task: String,
        /// Paths that do not exist.
        looked: Vec<String>,
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
    #[error("{}:{line}: not UTF-8 (byte {offset} of the file); convert it, for example by `iconv -f latin1 -t utf8`", path.display())]
    Encoding {
        /// The file.
        path: PathBuf,
        /// Line.
        line: usize,
        /// Offset of the first bad byte.
        offset: usize,
    },
    /// No column of this name.
    #[error("{}: no column `{column}`; the columns are {}{}", path.display(), columns.join(", "), hint(column, columns))]
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

fn hint(wanted: &str, columns: &[String]) -> String {
    let near = columns.iter().min_by_key(|column| distance(wanted, column));
    match near {
        Some(column) if distance(wanted, column) <= 1 + wanted.chars().count() / 3 => format!("; did you mean `{column}`?"),
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
