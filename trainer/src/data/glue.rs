//! The GLUE tasks (Wang et al., ICLR 2019) in their official layout.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::table::{read_text, tsv};
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

    fn files(self) -> [&'static str; 2] {
        ["train.tsv", if self == Self::Mnli { "dev_matched.tsv" } else { "dev.tsv" }]
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.folder().to_lowercase().replace('-', ""))
    }
}

impl FromStr for Task {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|task| task.to_string() == text).ok_or_else(|| {
            let names: Vec<String> = Self::ALL.iter().map(Self::to_string).collect();
            format!("`{text}` is not a task; the tasks are {}", names.join(", "))
        })
    }
}

/// Reads a task from its own folder, or from the folder that holds those of all tasks.
///
/// # Errors
/// [`DataError`] names what was looked for, or the line that does not fit.
pub fn load(task: Task, dir: &Path) -> Result<Dataset, DataError> {
    let [train, dev] = task.files();
    let candidates = [dir.join(task.folder()), dir.to_owned()];
    let Some(folder) = candidates.iter().find(|folder| folder.join(train).is_file()) else {
        let looked = candidates.iter().map(|folder| folder.join(train).display().to_string()).collect();
        return Err(DataError::NoTask { folder: dir.to_owned(), task: task.folder().into(), looked });
    };
    Ok(Dataset {
        name: task.folder().into(),
        labels: task.labels(),
        metric: task.metric(),
        train: read(task, &folder.join(train))?,
        dev: read(task, &folder.join(dev))?,
        notes: Vec::new(),
    })
}

fn read(task: Task, path: &Path) -> Result<Vec<Example>, DataError> {
    let text = read_text(path)?;
    // CoLA has no header: source, label, the author's mark, sentence.
    let header: Option<&[&str]> = (task == Task::Cola).then_some(&["source", "label", "mark", "sentence"]);
    let table = tsv(path, &text, header)?;
    let (first, second, label) = task.layout();
    let first = table.column(path, first)?;
    let second = second.map(|name| table.column(path, name)).transpose()?;
    let label = match (task, table.columns.iter().any(|name| name == label)) {
        // Exports by other tools call MNLI's label `label`.
        (Task::Mnli, false) => table.column(path, "label")?,
        _ => table.column(path, label)?,
    };
    let labels = task.labels();
    let mut examples = Vec::with_capacity(table.rows.len());
    for (line, fields) in table.rows {
        let label = parse_label(&labels, &fields[label])
            .map_err(|reason| DataError::Line { path: path.to_owned(), line, reason })?;
        examples.push(Example { text: fields[first].clone(), pair: second.map(|k| fields[k].clone()), label });
    }
    if examples.is_empty() {
        return Err(DataError::File { path: path.to_owned(), reason: "there is no example".into() });
    }
    Ok(examples)
}


/// A class by its index, as most tasks write it, or by its name.
fn parse_label(labels: &Labels, text: &str) -> Result<Label, String> {
    let Labels::Classes(names) = labels else {
        return match text.parse::<f32>() {
            Ok(score) if score.is_finite() => Ok(Label::Score(score)),
            _ => Err(format!("the score is `{text}`, expected a number")),
        };
    };
    let by_name = names.iter().position(|name| name == text);
    let by_index = || text.parse::<usize>().ok().filter(|class| *class < names.len());
    let expected = || format!("the label is `{text}`, expected {} or 0 to {}", names.join(", "), names.len() - 1);
    by_name.or_else(by_index).map(Label::Class).ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn write(text: &[u8], task: Task) -> (tempfile::TempDir, Result<Dataset, DataError>) {
        let dir = tempfile::tempdir().unwrap();
        for file in task.files() {
            fs::write(dir.path().join(file), text).unwrap();
        }
        let result = load(task, dir.path());
        (dir, result)
    }

    #[test]
    fn every_task_reads_with_its_published_counts() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/glue");
        if !root.is_dir() {
            eprintln!("skipped: {} is not here", root.display());
            return;
        }
        for (task, train, dev, class_one) in [
            (Task::Cola, 8551, 1043, 721),
            (Task::Sst2, 67349, 872, 444),
            (Task::Mrpc, 3668, 408, 279),
            (Task::Stsb, 5749, 1500, 0),
            (Task::Rte, 2490, 277, 131),
            (Task::Qnli, 19475, 5463, 2761),
            (Task::Mnli, 9999, 9815, 3123),
            (Task::Qqp, 28639, 3000, 0),
            (Task::Wnli, 635, 71, 31),
        ] {
            let data = load(task, &root).unwrap();
            assert_eq!((data.train.len(), data.dev.len()), (train, dev), "{task}");
            // Class balance of the official dev sets; the QQP one is a cut of ours.
            let ones = data.dev.iter().filter(|e| e.label == Label::Class(1)).count();
            assert!(task == Task::Qqp || ones == class_one, "{task}: {ones}");
            assert!(data.train.iter().all(|e| e.pair.is_some() == task.layout().1.is_some()));
        }
    }

    #[test]
    fn takes_marks_line_ends_and_quotes_as_the_files_have_them() {
        let (_dir, data) = write("\u{feff}sentence\tlabel\r\nit 's \"fine\t1\r\nnot\t0".as_bytes(), Task::Sst2);
        let data = data.unwrap();
        assert_eq!(data.dev[0].text, "it 's \"fine");
        assert_eq!(data.dev[1], Example { text: "not".into(), pair: None, label: Label::Class(0) });
    }

    #[test]
    fn messages_name_line_and_expectation() {
        for (text, task, needle) in [
            (&b"sentence\tlabel\nfine\t2\n"[..], Task::Sst2, ":2: the label is `2`, expected negative, positive or 0 to 1"),
            (b"sentence\tlabel\nfine\t1\tx\n", Task::Sst2, ":2: 3 fields, but the header has 2"),
            (b"sentense\tlabel\nfine\t1\n", Task::Sst2, "did you mean `sentense`?"),
            (b"sentence\tlabel\nok\t1\nbad \xff\t1\n", Task::Sst2, ":3: not UTF-8 (byte 24"),
            (b"sentence\tlabel\n", Task::Sst2, "there is no example"),
            (b"", Task::Sst2, "no column `sentence`"),
            (b"sentence1\tsentence2\tscore\na\tb\tx\n", Task::Stsb, "the score is `x`, expected a number"),
        ] {
            let (_dir, data) = write(text, task);
            let error = data.unwrap_err().to_string();
            assert!(error.contains(needle), "{error}");
        }
        let error = load(Task::Rte, Path::new("/nowhere")).unwrap_err().to_string();
        assert!(error.contains("no RTE here") && error.contains("/nowhere/RTE/train.tsv"), "{error}");
    }
}
