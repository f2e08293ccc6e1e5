//! A user's own labelled texts.

use std::collections::HashMap;
use std::path::Path;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::error::list;
use super::labels::{distinct, finite};
use super::table::{Row, read, read_text};
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
pub fn load_split(path: &Path, columns: &Columns, known: Option<&Labels>) -> Result<(Vec<Example>, Labels), DataError> {
    let wanted: Vec<&str> = [Some(&columns.text), Some(&columns.label), columns.pair.as_ref()]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    from_rows(path, read(path, &wanted)?, columns, known)
}

/// Examples from rows of text, label and, where there is one, second text.
pub(super) fn from_rows(
    path: &Path,
    rows: Vec<Row>,
    columns: &Columns,
    known: Option<&Labels>,
) -> Result<(Vec<Example>, Labels), DataError> {
    let labels = match known {
        Some(labels) => labels.clone(),
        None => find_labels(path, &rows, columns)?,
    };
    let classes: HashMap<&str, usize> = match &labels {
        Labels::Classes(names) => names.iter().enumerate().map(|(class, name)| (name.as_str(), class)).collect(),
        Labels::Regression => HashMap::new(),
    };
    let example = |row: Row| {
        check_texts(path, &row, &columns.text, columns.pair.as_deref())?;
        let Row { line, fields } = row;
        let mut fields = fields.into_iter();
        let mut next = || fields.next().unwrap_or_default();
        let (text, label) = (next(), next());
        let (label, column) = (label.trim(), &columns.label);
        let parsed = match &labels {
            Labels::Classes(names) => classes
                .get(label)
                .map(|&class| Label::Class(class))
                .ok_or_else(|| format!("unknown label `{label}`; the classes are {} (column `{column}`)", list(names))),
            Labels::Regression => finite(label).map(Label::Score).ok_or_else(|| {
                format!("`{column}` is `{label}`, expected a number; without --regression labels are classes")
            }),
        };
        let label = parsed.map_err(|reason| DataError::line(path, line, reason))?;
        Ok(Example { text, pair: columns.pair.as_ref().map(|_| next()), label })
    };
    let examples = rows.into_iter().map(example).collect::<Result<_, _>>()?;
    Ok((examples, labels))
}

/// A row starts with the text, and ends with the second one where there is one.
fn check_texts(path: &Path, row: &Row, text: &str, pair: Option<&str>) -> Result<(), DataError> {
    let texts = [(Some(text), row.fields.first()), (pair, row.fields.last())];
    for (name, field) in texts.into_iter().filter_map(|(name, field)| Some((name?, field?))) {
        if field.trim().is_empty() {
            let reason = format!("`{name}` is empty; expected a text, or no such row");
            return Err(DataError::line(path, row.line, reason));
        }
    }
    Ok(())
}

/// More classes than this are numbers in disguise.
const MAX_CLASSES: usize = 1000;

fn find_labels(path: &Path, rows: &[Row], columns: &Columns) -> Result<Labels, DataError> {
    let name = &columns.label;
    if columns.regression {
        let Some(row) = rows.first() else { return Ok(Labels::Regression) };
        // A file of one number has no order to learn, and no correlation.
        let constant = rows.len() > 1 && rows.iter().all(|other| other.fields[1] == row.fields[1]);
        let reason = format!("all scores in `{name}` are `{}`; expected different ones", row.fields[1]);
        return if constant { Err(DataError::file(path, reason)) } else { Ok(Labels::Regression) };
    }
    if let Some(row) = rows.iter().find(|row| row.fields[1].trim().is_empty()) {
        return Err(DataError::line(path, row.line, format!("`{name}` is empty; expected a class, or no such row")));
    }
    let classes = distinct(rows.iter().map(|row| row.fields[1].trim()));
    match &classes[..] {
        [only] => {
            Err(DataError::file(path, format!("all labels are `{only}`; expected at least two classes in `{name}`")))
        }
        many if many.len() > MAX_CLASSES => Err(DataError::file(
            path,
            format!("{} different labels in `{name}`; for numbers add --regression", many.len()),
        )),
        _ => Ok(Labels::Classes(classes)),
    }
}

/// Texts without labels, for `predict`. A `.txt` file has one text a line; its blank lines are no texts.
///
/// # Errors
/// [`DataError`] names the file and line.
pub fn load_texts(path: &Path, text: &str, pair: Option<&str>) -> Result<Vec<(String, Option<String>)>, DataError> {
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("txt")) {
        if let Some(pair) = pair {
            let reason = format!("a .txt file has no column `{pair}`; for pairs use .tsv, .csv or .jsonl");
            return Err(DataError::file(path, reason));
        }
        let all = read_text(path)?;
        return Ok(all.lines().filter(|line| !line.trim().is_empty()).map(|line| (line.to_owned(), None)).collect());
    }
    let wanted: Vec<&str> = [Some(text), pair].into_iter().flatten().collect();
    let rows = read(path, &wanted).map_err(|error| match error {
        DataError::Format { path, .. } => DataError::Format { path, expected: ".txt, .tsv, .csv, .jsonl or .ndjson" },
        other => other,
    })?;
    let texts = |row: Row| {
        check_texts(path, &row, text, pair)?;
        let mut fields = row.fields.into_iter();
        Ok((fields.next().unwrap_or_default(), fields.next()))
    };
    rows.into_iter().map(texts).collect()
}

/// The paper's protocol for small tasks: dev is shuffled by `seed`, the first half (the smaller one if their number is
/// odd) validates, the second tests. The halves are not stratified, as the paper's are not.
pub fn split_half(dev: &[Example], seed: u64) -> (Vec<Example>, Vec<Example>) {
    let mut shuffled = dev.to_vec();
    shuffled.shuffle(&mut StdRng::seed_from_u64(seed));
    let test = shuffled.split_off(dev.len() / 2);
    (shuffled, test)
}

#[cfg(test)]
#[path = "own_tests.rs"]
mod tests;
