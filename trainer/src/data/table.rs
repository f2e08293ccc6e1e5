//! Rows of named fields from TSV, CSV and JSON Lines files.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::DataError;

/// A table in memory.
#[derive(Debug)]
pub(super) struct Table {
    pub columns: Vec<String>,
    /// Line in the file and fields in the order of `columns`.
    pub rows: Vec<(usize, Vec<String>)>,
}

impl Table {
    /// Position of a column.
    pub fn column(&self, path: &Path, name: &str) -> Result<usize, DataError> {
        self.columns.iter().position(|column| column == name).ok_or_else(|| DataError::Column {
            path: path.to_owned(),
            column: name.into(),
            columns: self.columns.clone(),
        })
    }
}

/// The file's text: UTF-8, a byte order mark dropped.
pub(super) fn read_text(path: &Path) -> Result<String, DataError> {
    let bytes = fs::read(path).map_err(|source| DataError::Io { path: path.to_owned(), source })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..offset].iter().filter(|&&b| b == b'\n').count();
        DataError::Encoding { path: path.to_owned(), line, offset }
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// Reads a table by the ending of its name.
pub(super) fn read(path: &Path) -> Result<Table, DataError> {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    let text = read_text(path)?;
    let table = match extension.to_str() {
        Some("tsv") => tsv(path, &text, None)?,
        Some("csv") => csv_table(path, &text)?,
        Some("jsonl" | "ndjson") => jsonl(path, &text)?,
        _ => {
            let expected = ".tsv, .csv, .jsonl or .ndjson";
            return Err(DataError::Format { path: path.to_owned(), expected });
        }
    };
    if table.rows.is_empty() {
        let reason = if table.columns.is_empty() { "the file is empty" } else { "there is a header but no row" };
        return Err(DataError::File { path: path.to_owned(), reason: reason.into() });
    }
    Ok(table)
}

/// Tab-separated fields; quotes are characters like any other. `header`: for files that have none.
pub(super) fn tsv(path: &Path, text: &str, header: Option<&[&str]>) -> Result<Table, DataError> {
    // `lines` takes `\r\n` too; a blank line at the end is no row.
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line)).filter(|(_, line)| !line.is_empty());
    let columns: Vec<String> = match header {
        Some(names) => names.iter().map(|&name| name.to_owned()).collect(),
        None => lines.next().map(|(_, line)| line.split('\t').map(str::to_owned).collect()).unwrap_or_default(),
    };
    let rows = lines
        .map(|(line, text)| {
            let fields: Vec<String> = text.split('\t').map(str::to_owned).collect();
            check_width(path, line, fields.len(), columns.len())?;
            Ok((line, fields))
        })
        .collect::<Result<_, DataError>>()?;
    Ok(Table { columns, rows })
}

fn check_width(path: &Path, line: usize, found: usize, expected: usize) -> Result<(), DataError> {
    if found == expected {
        return Ok(());
    }
    let reason = format!("{found} fields, but the header has {expected}");
    Err(DataError::Line { path: path.to_owned(), line, reason })
}

fn csv_table(path: &Path, text: &str) -> Result<Table, DataError> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let failed = |error: csv::Error| {
        let line = error.position().map_or(1, |position| position.line() as usize);
        DataError::Line { path: path.to_owned(), line, reason: error.to_string() }
    };
    let columns: Vec<String> = reader.headers().map_err(failed)?.iter().map(str::to_owned).collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(failed)?;
        let line = record.position().map_or(0, |position| position.line() as usize);
        check_width(path, line, record.len(), columns.len())?;
        rows.push((line, record.iter().map(str::to_owned).collect()));
    }
    Ok(Table { columns, rows })
}

fn jsonl(path: &Path, text: &str) -> Result<Table, DataError> {
    let mut table = Table { columns: Vec::new(), rows: Vec::new() };
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let fail = |reason: String| DataError::Line { path: path.to_owned(), line: index + 1, reason };
        let value: Value = serde_json::from_str(line).map_err(|e| fail(format!("not JSON: {e}")))?;
        let Value::Object(object) = value else { return Err(fail("expected a JSON object on each line".into())) };
        if table.columns.is_empty() {
            table.columns = object.keys().cloned().collect();
        }
        let field = |column: &String| match object.get(column) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(value.to_string()),
            Some(Value::Null) | None => Err(fail(format!("no value for `{column}`, which the first line has"))),
            // Nested values are of no use as text or label, but other keys may hold them.
            Some(other) => Ok(other.to_string()),
        };
        let fields = table.columns.iter().map(field).collect::<Result<_, _>>()?;
        table.rows.push((index + 1, fields));
    }
    Ok(table)
}
