//! The GLUE tasks (Wang et al., ICLR 2019) in their official layout.
//!
//! The files are tab-separated text in which quotes are characters like any other: not CSV.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::labels::finite;
use super::table::{Row, Short, read_text, tsv};
use super::{DataError, Dataset, Example, Label, Labels};
use crate::metrics::Metric;

/// A GLUE task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Acceptability of a sentence.
    Cola,
    /// Sentiment.
    Sst2,
    /// Paraphrases.
    Mrpc,
    /// Similarity of sentences, 0 to 5.
    Stsb,
    /// Entailment, small.
    Rte,
    /// Does the sentence answer the question?
    Qnli,
    /// Entailment, three classes.
    Mnli,
    /// Duplicate questions.
    Qqp,
    /// Winograd sentences as entailment.
    Wnli,
}

/// Columns of a task: first text, second text, label.
type Layout = (&'static str, Option<&'static str>, &'static str);

impl Task {
    /// All tasks.
    pub const ALL: [Self; 9] =
        [Self::Cola, Self::Sst2, Self::Mrpc, Self::Stsb, Self::Rte, Self::Qnli, Self::Mnli, Self::Qqp, Self::Wnli];

    /// Name of its folder in the official archive.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Cola => "CoLA",
            Self::Sst2 => "SST-2",
            Self::Mrpc => "MRPC",
            Self::Stsb => "STS-B",
            Self::Rte => "RTE",
            Self::Qnli => "QNLI",
            Self::Mnli => "MNLI",
            Self::Qqp => "QQP",
            Self::Wnli => "WNLI",
        }
    }

    /// The metric that GLUE ranks by; the paper's choice where there are two.
    pub fn metric(self) -> Metric {
        match self {
            Self::Cola => Metric::Matthews,
            Self::Mrpc | Self::Qqp => Metric::F1,
            Self::Stsb => Metric::Spearman,
            _ => Metric::Accuracy,
        }
    }

    /// Class names in the order of `datasets` and of most published checkpoints.
    pub fn labels(self) -> Labels {
        let names: &[&str] = match self {
            Self::Cola => &["unacceptable", "acceptable"],
            Self::Sst2 => &["negative", "positive"],
            Self::Mrpc => &["not_equivalent", "equivalent"],
            Self::Stsb => return Labels::Regression,
            Self::Rte | Self::Qnli => &["entailment", "not_entailment"],
            Self::Mnli => &["entailment", "neutral", "contradiction"],
            Self::Qqp => &["not_duplicate", "duplicate"],
            Self::Wnli => &["not_entailment", "entailment"],
        };
        Labels::Classes(names.iter().map(|&name| name.to_owned()).collect())
    }

    fn layout(self) -> Layout {
        match self {
            Self::Cola => ("sentence", None, "label"),
            Self::Sst2 => ("sentence", None, "label"),
            Self::Mrpc => ("#1 String", Some("#2 String"), "Quality"),
            Self::Stsb => ("sentence1", Some("sentence2"), "score"),
            Self::Rte | Self::Wnli => ("sentence1", Some("sentence2"), "label"),
            Self::Qnli => ("question", Some("sentence"), "label"),
            Self::Mnli => ("sentence1", Some("sentence2"), "gold_label"),
            Self::Qqp => ("question1", Some("question2"), "is_duplicate"),
        }
    }

    /// Examples in the official train and dev files, as `datasets` counts them.
    fn published(self) -> [usize; 2] {
        match self {
            Self::Cola => [8_551, 1_043],
            Self::Sst2 => [67_349, 872],
            Self::Mrpc => [3_668, 408],
            Self::Stsb => [5_749, 1_500],
            Self::Rte => [2_490, 277],
            Self::Qnli => [104_743, 5_463],
            Self::Mnli => [392_702, 9_815],
            Self::Qqp => [363_846, 40_430],
            Self::Wnli => [635, 71],
        }
    }

    fn files(self) -> [&'static str; 2] {
        ["train.tsv", if self == Self::Mnli { "dev_matched.tsv" } else { "dev.tsv" }]
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.folder().to_lowercase().replace('-', ""))
    }
}

/// Not the name of a task.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{name}` is not a task; the tasks are reviews, {}", Task::ALL.map(|task| task.to_string()).join(", "))]
pub struct UnknownTask {
    /// What was given.
    pub name: String,
}

impl FromStr for Task {
    type Err = UnknownTask;

    /// Takes `stsb` as well as `STS-B`.
    fn from_str(text: &str) -> Result<Self, UnknownTask> {
        let plain = text.to_lowercase().replace('-', "");
        let found = Self::ALL.into_iter().find(|task| task.to_string() == plain);
        found.ok_or_else(|| UnknownTask { name: text.into() })
    }
}

/// Reads a task from its own folder, or from the folder that holds those of all tasks.
///
/// # Errors
/// [`DataError`] names what was looked for, or the line that does not fit.
pub fn load(task: Task, dir: &Path) -> Result<Dataset, DataError> {
    let files = task.files();
    let candidates = [dir.join(task.folder()), dir.to_owned()];
    let Some(folder) = candidates.iter().find(|folder| folder.join(files[0]).is_file()) else {
        let looked = candidates.iter().map(|folder| folder.join(files[0]).display().to_string()).collect();
        return Err(DataError::NoTask { folder: dir.to_owned(), task: task.folder().into(), looked });
    };
    let mut notes = Vec::new();
    let [train, dev] = files.map(|file| folder.join(file)).map(|path| read(task, &path, &mut notes));
    let (train, dev) = (train?, dev?);
    for ((file, found), published) in files.iter().zip([train.len(), dev.len()]).zip(task.published()) {
        if found != published {
            notes.push(format!(
                "{} {file} has {found} examples, GLUE's has {published}: scores do not compare with published ones",
                task.folder()
            ));
        }
    }
    Ok(Dataset { name: task.folder().into(), labels: task.labels(), metric: task.metric(), train, dev, notes })
}

fn read(task: Task, path: &Path, notes: &mut Vec<String>) -> Result<Vec<Example>, DataError> {
    let text = read_text(path)?;
    // CoLA has no header: source, label, the author's mark, sentence.
    let header: Option<&[&str]> = (task == Task::Cola).then_some(&["source", "label", "mark", "sentence"]);
    let (first, second, mut label) = task.layout();
    if task == Task::Mnli && !text.lines().next().is_some_and(|names| names.split('\t').any(|name| name == label)) {
        // Exports by other tools call it so.
        label = "label";
    }
    let wanted: Vec<&str> = [Some(first), Some(label), second].into_iter().flatten().collect();
    // Some questions of QQP's official files have line ends in them; the readers of `datasets` and `transformers`
    // leave these rows out, and so do the published counts. No other task has such rows.
    let short = if task == Task::Qqp { Short::Skip } else { Short::Refuse };
    let (rows, skipped) = tsv(path, &text, header, &wanted, short)?;
    if let [first, ..] = skipped[..] {
        let count = skipped.len();
        notes.push(format!("{}: {count} broken rows are left out; the first is line {first}", path.display()));
    }
    if rows.is_empty() {
        return Err(DataError::file(path, "there is no example"));
    }
    let labels = task.labels();
    let example = |Row { line, fields }: Row| {
        let mut fields = fields.into_iter();
        let mut next = || fields.next().unwrap_or_default();
        let (text, label) = (next(), next());
        let label = parse_label(&labels, &label).map_err(|reason| DataError::line(path, line, reason))?;
        Ok(Example { text, pair: second.map(|_| next()), label })
    };
    rows.into_iter().map(example).collect()
}

/// A class by its name or its index; the tasks' files have either. A score is 0 to 5 (STS-B).
fn parse_label(labels: &Labels, text: &str) -> Result<Label, String> {
    let Labels::Classes(names) = labels else {
        let score = finite(text).filter(|score| (0.0..=5.0).contains(score));
        return score.map(Label::Score).ok_or_else(|| format!("the score is `{text}`, expected a number from 0 to 5"));
    };
    let by_name = names.iter().position(|name| name == text);
    let by_index = || text.parse::<usize>().ok().filter(|class| *class < names.len());
    let expected = || format!("the label is `{text}`, expected {} or 0 to {}", names.join(", "), names.len() - 1);
    by_name.or_else(by_index).map(Label::Class).ok_or_else(expected)
}

#[cfg(test)]
#[path = "glue_tests.rs"]
mod tests;
