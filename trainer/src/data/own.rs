//! A user's own labelled texts.

use std::collections::BTreeSet;
use std::path::Path;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::table::{Table, read, read_text};
use super::{DataError, Dataset, Example, Label, Labels};
use crate::metrics::Metric;

/// Which columns hold what.
#[derive(Debug, Clone)]
pub struct Columns {
    /// The text.
    pub text: String,
    /// The second text.
    pub pair: Option<String>,
    /// The label.
    pub label: String,
    /// Labels are numbers to predict.
    pub regression: bool,
}

/// Reads training and dev files; the classes are those of the training labels.
///
/// # Errors
/// [`DataError`] names the file and line.
pub fn load(train: &Path, dev: &Path, columns: &Columns) -> Result<Dataset, DataError> {
    let (train_examples, labels) = load_split(train, columns, None)?;
    let (dev_examples, _) = load_split(dev, columns, Some(&labels))?;
    Ok(Dataset {
        name: train.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        metric: if labels == Labels::Regression { Metric::Spearman } else { Metric::Accuracy },
        labels,
        train: train_examples,
        dev: dev_examples,
        notes: Vec::new(),
    })
}

/// Reads one labelled file. `known`: the labels it must keep to; without, they are found in the file.
///
/// # Errors
/// [`DataError`] names the file and line.
pub fn load_split(
    path: &Path,
    columns: &Columns,
    known: Option<&Labels>,
) -> Result<(Vec<Example>, Labels), DataError> {
    let table = read(path)?;
    let text = table.column(path, &columns.text)?;
    let pair = columns.pair.as_deref().map(|name| table.column(path, name)).transpose()?;
    let label = table.column(path, &columns.label)?;
    let labels = match known {
        Some(labels) => labels.clone(),
        None if columns.regression => Labels::Regression,
        None => Labels::Classes(find_classes(path, &table, label)?),
    };
    let example = |(line, fields): &(usize, Vec<String>)| {
        let fail = |reason: String| DataError::Line { path: path.to_owned(), line: *line, reason };
        for (column, name) in [(Some(text), Some(&columns.text)), (pair, columns.pair.as_ref())] {
            if let (Some(column), Some(name)) = (column, name)
                && fields[column].trim().is_empty()
            {
                return Err(fail(format!("`{name}` is empty; expected a text")));
            }
        }
        let label = parse_label(&labels, &fields[label]).map_err(fail)?;
        Ok(Example { text: fields[text].clone(), pair: pair.map(|column| fields[column].clone()), label })
    };
    Ok((table.rows.iter().map(example).collect::<Result<_, _>>()?, labels))
}

/// More classes than this are numbers in disguise.
const MAX_CLASSES: usize = 1000;

fn find_classes(path: &Path, table: &Table, label: usize) -> Result<Vec<String>, DataError> {
    let fail = |reason: String| Err(DataError::File { path: path.to_owned(), reason });
    if let Some((line, _)) = table.rows.iter().find(|(_, fields)| fields[label].trim().is_empty()) {
        let reason = format!("`{}` is empty; expected a class", table.columns[label]);
        return Err(DataError::Line { path: path.to_owned(), line: *line, reason });
    }
    let distinct: BTreeSet<&str> = table.rows.iter().map(|(_, fields)| fields[label].trim()).collect();
    if distinct.len() == 1 {
        return fail(format!("all labels are `{}`; expected at least two classes", table.rows[0].1[label]));
    }
    if distinct.len() > MAX_CLASSES {
        return fail(format!("{} different labels; for numbers add --regression", distinct.len()));
    }
    let mut classes: Vec<String> = distinct.into_iter().map(str::to_owned).collect();
    // 2 before 10.
    if classes.iter().all(|class| class.parse::<i64>().is_ok()) {
        classes.sort_by_key(|class| class.parse::<i64>().unwrap_or_default());
    }
    Ok(classes)
}

fn parse_label(labels: &Labels, text: &str) -> Result<Label, String> {
    let text = text.trim();
    match labels {
        Labels::Classes(classes) => classes
            .iter()
            .position(|class| class == text)
            .map(Label::Class)
            .ok_or_else(|| format!("unknown label `{text}`; the classes are {}", classes.join(", "))),
        Labels::Regression => match text.parse::<f32>() {
            Ok(score) if score.is_finite() => Ok(Label::Score(score)),
            _ => Err(format!("the label is `{text}`, expected a number")),
        },
    }
}

/// Texts without labels, for `predict`: a `.txt` file has one text a line.
///
/// # Errors
/// [`DataError`] names the file and line.
pub fn load_texts(path: &Path, text: &str, pair: Option<&str>) -> Result<Vec<(String, Option<String>)>, DataError> {
    if path.extension().is_some_and(|extension| extension == "txt") {
        let all = read_text(path)?;
        let lines: Vec<_> = all.lines().filter(|line| !line.trim().is_empty()).map(|l| (l.to_owned(), None)).collect();
        if lines.is_empty() {
            return Err(DataError::File { path: path.to_owned(), reason: "there is no text".into() });
        }
        return Ok(lines);
    }
    let table = read(path)?;
    let text = table.column(path, text)?;
    let pair = pair.map(|name| table.column(path, name)).transpose()?;
    Ok(table.rows.into_iter().map(|(_, fields)| (fields[text].clone(), pair.map(|k| fields[k].clone()))).collect())
}

/// The paper's protocol for small tasks: dev is shuffled by `seed`, the first half (the smaller one if their number is
/// odd) validates, the second tests.
pub fn split_half(dev: &[Example], seed: u64) -> (Vec<Example>, Vec<Example>) {
    let mut shuffled = dev.to_vec();
    shuffled.shuffle(&mut StdRng::seed_from_u64(seed));
    let test = shuffled.split_off(dev.len() / 2);
    (shuffled, test)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::PathBuf;

    fn file(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        (dir, path)
    }

    fn columns() -> Columns {
        Columns { text: "text".into(), pair: None, label: "label".into(), regression: false }
    }

    fn classes(labels: &Labels) -> Vec<&str> {
        match labels {
            Labels::Classes(names) => names.iter().map(String::as_str).collect(),
            Labels::Regression => Vec::new(),
        }
    }

    #[test]
    fn three_formats_say_the_same() {
        for (name, text) in [
            ("a.tsv", "id\ttext\tlabel\n1\tgood, \"really\"\t10\n2\tbad\t2\n"),
            ("a.csv", "id,text,label\r\n1,\"good, \"\"really\"\"\",10\r\n2,bad,2\r\n"),
            ("a.jsonl", "{\"text\":\"good, \\\"really\\\"\",\"label\":10}\n\n{\"text\":\"bad\",\"label\":2}"),
        ] {
            let (_dir, path) = file(name, text);
            let (examples, labels) = load_split(&path, &columns(), None).unwrap();
            assert_eq!(classes(&labels), ["2", "10"], "{name}: numbers in their order");
            assert_eq!(examples[0], Example { text: "good, \"really\"".into(), pair: None, label: Label::Class(1) });
            assert_eq!(examples[1].label, Label::Class(0));
        }
    }

    #[test]
    fn messages_name_what_is_wrong() {
        for (name, text, needle) in [
            ("a.xls", "x", "expected a name that ends in .tsv"),
            ("a.tsv", "", "the file is empty"),
            ("a.tsv", "text\tlabel\n", "a header but no row"),
            ("a.tsv", "txet\tlabel\na\tb\n", "no column `text`; the columns are txet, label; did you mean `txet`?"),
            ("a.tsv", "text\tlabel\na\tx\nb\tx\n", "all labels are `x`"),
            ("a.tsv", "text\tlabel\na\tx\n\ty\n", ":3: `text` is empty"),
            ("a.tsv", "text\tlabel\na\tx\nb\n", ":3: 1 fields, but the header has 2"),
            ("a.csv", "text,label\na,x\nb,y,z\n", ":3: 3 fields, but the header has 2"),
            ("a.jsonl", "{\"text\":\"a\",\"label\":1}\n{\"text\":\"b\"}\n", ":2: no value for `label`"),
            ("a.jsonl", "{\"text\":\"a\",\"label\":1}\n[1]\n", ":2: expected a JSON object"),
            ("a.jsonl", "{oops\n", ":1: not JSON"),
        ] {
            let (_dir, path) = file(name, text);
            let error = load_split(&path, &columns(), None).unwrap_err().to_string();
            assert!(error.contains(needle), "{error}");
        }
        let (_dir, path) = file("dev.tsv", "text\tlabel\na\tmaybe\n");
        let known = Labels::Classes(vec!["no".into(), "yes".into()]);
        let error = load_split(&path, &columns(), Some(&known)).unwrap_err().to_string();
        assert!(error.contains(":2: unknown label `maybe`; the classes are no, yes"), "{error}");
        let regression = Columns { regression: true, ..columns() };
        assert!(load_split(&path, &regression, None).unwrap_err().to_string().contains("expected a number"));
    }

    #[test]
    fn halves_are_disjoint_and_fixed_by_the_seed() {
        let example = |k: usize| Example { text: k.to_string(), pair: None, label: Label::Class(0) };
        let dev: Vec<Example> = (0..7).map(example).collect();
        let (validation, test) = split_half(&dev, 3);
        assert_eq!((validation.len(), test.len()), (3, 4));
        assert!(validation.iter().all(|e| !test.contains(e)));
        assert_eq!(split_half(&dev, 3).0, validation);
        assert_ne!(split_half(&dev, 4).0, validation);
    }

    #[test]
    fn texts_to_predict() {
        let (_dir, path) = file("a.txt", "one\n\ntwo\r\n");
        let texts = load_texts(&path, "text", None).unwrap();
        assert_eq!(texts, [("one".into(), None), ("two".into(), None)]);
    }
}
