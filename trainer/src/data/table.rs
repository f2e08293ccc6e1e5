//! Rows of named fields from TSV, CSV and JSON Lines files.
//!
//! Only the wanted columns are kept and checked: what stands in the others is the user's business.

use std::fs;
use std::io::Read;
use std::path::Path;

use serde_json::{Map, Value};

use super::DataError;
use super::error::list;

/// A row's line in the file, and its fields in the order in which they were asked for.
#[derive(Debug, PartialEq)]
pub(super) struct Row {
    pub line: usize,
    pub fields: Vec<String>,
}

/// What to do with a row that has fewer fields than the header.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Short {
    Refuse,
    Skip,
}

/// Endings of tables' names.
const FORMATS: &str = ".tsv, .csv, .jsonl or .ndjson";

/// The file's text: UTF-8, a byte order mark dropped.
pub(super) fn read_text(path: &Path) -> Result<String, DataError> {
    let bytes = fs::read(path).map_err(|source| DataError::Io { path: path.to_owned(), source })?;
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let line = 1 + bytes[..offset].iter().filter(|&&b| b == b'\n').count();
        // What spreadsheets call "Unicode text" starts with one of these marks.
        let wide = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
        DataError::Encoding { path: path.to_owned(), line, offset, guess: if wide { "utf-16" } else { "latin1" } }
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    if text.trim().is_empty() {
        return Err(DataError::file(path, "the file is empty"));
    }
    Ok(text)
}

/// Reads the wanted columns of a table; its format is that of the name's ending.
pub(super) fn read(path: &Path, wanted: &[&str]) -> Result<Vec<Row>, DataError> {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    let rows = match extension.to_str() {
        Some("tsv") => tsv(path, &read_text(path)?, None, wanted, Short::Refuse)?.0,
        Some("csv") => comma_separated(path, &read_text(path)?, wanted)?,
        Some("jsonl" | "ndjson") => json_lines(path, &read_text(path)?, wanted)?,
        _ => return Err(DataError::Format { path: path.to_owned(), expected: FORMATS }),
    };
    if rows.is_empty() {
        return Err(DataError::file(path, "there is a header but no row"));
    }
    Ok(rows)
}

/// Tab-separated fields; quotes are characters like any other. `header`: for files that have none.
///
/// Returns the lines that [`Short::Skip`] left out, too.
pub(super) fn tsv(
    path: &Path,
    text: &str,
    header: Option<&[&str]>,
    wanted: &[&str],
    short: Short,
) -> Result<(Vec<Row>, Vec<usize>), DataError> {
    // `lines` takes `\r\n` too. Blank lines at the end are no rows; elsewhere one is a mistake.
    let text = text.trim_end_matches(['\n', '\r']);
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    let columns: Vec<String> = match header {
        Some(names) => names.iter().map(|&name| name.to_owned()).collect(),
        None => lines.next().map(|(_, line)| line.split('\t').map(str::to_owned).collect()).unwrap_or_default(),
    };
    let selection = Selection::new(path, &columns, wanted)?;
    let (mut rows, mut skipped) = (Vec::new(), Vec::new());
    let mut fields = Vec::with_capacity(columns.len());
    for (line, text) in lines {
        fields.clear();
        fields.extend(text.split('\t'));
        if short == Short::Skip && fields.len() < columns.len() {
            skipped.push(line);
            continue;
        }
        rows.push(selection.row(path, line, &fields, header.is_none())?);
    }
    Ok((rows, skipped))
}

/// Comma-separated fields, quoted as RFC 4180 has it.
fn comma_separated(path: &Path, text: &str, wanted: &[&str]) -> Result<Vec<Row>, DataError> {
    // The reader takes the end of the file for the missing end of a quote, and with it any number of rows for one
    // field. A character on a line of its own behind the text tells: whoever reads it was inside a quote.
    let input = text.as_bytes().chain(&b"\n."[..]);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(input);
    let mut record = csv::StringRecord::new();
    let mut selection: Option<Selection> = None;
    let mut rows = Vec::new();
    let (mut line, mut counted) = (1, 0);
    loop {
        let found = reader.read_record(&mut record).map_err(|error| DataError::line(path, line, error.to_string()))?;
        // A record's position is that of the line ends and blank lines before it.
        let start = record.position().map_or(text.len(), |position| position.byte() as usize).min(text.len());
        let start = start + text[start..].bytes().take_while(|b| matches!(b, b'\n' | b'\r')).count();
        if !found || start == text.len() {
            break;
        }
        line += text[counted..start].bytes().filter(|&b| b == b'\n').count();
        counted = start;
        if reader.position().byte() as usize > text.len() + 1 {
            return Err(DataError::line(
                path,
                line,
                "a quote that opens in this row never closes; add the missing `\"`",
            ));
        }
        match &selection {
            None => {
                let columns: Vec<String> = record.iter().map(str::to_owned).collect();
                selection = Some(Selection::new(path, &columns, wanted)?);
            }
            Some(selection) => rows.push(selection.row(path, line, &record.iter().collect::<Vec<_>>(), true)?),
        }
    }
    Ok(rows)
}

/// One JSON object a line; strings, numbers and booleans are fields.
fn json_lines(path: &Path, text: &str, wanted: &[&str]) -> Result<Vec<Row>, DataError> {
    let mut rows = Vec::new();
    for (index, text) in text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
        let line = index + 1;
        let object: Map<String, Value> = match serde_json::from_str(text) {
            Ok(Value::Object(object)) => object,
            Ok(_) => return Err(DataError::line(path, line, "expected a JSON object on each line")),
            Err(error) => {
                // Its line is always 1, which would contradict ours.
                let reason = error.to_string();
                let reason = reason.split(" at line ").next().unwrap_or_default();
                let reason = format!("not JSON: {reason} (column {}); expected an object on each line", error.column());
                return Err(DataError::line(path, line, reason));
            }
        };
        let field = |&key: &&str| match object.get(key) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(value.to_string()),
            Some(Value::Null) => Err(DataError::line(path, line, format!("`{key}` is null; expected a value"))),
            Some(_) => {
                Err(DataError::line(path, line, format!("`{key}` is nested; expected a string, number or boolean")))
            }
            // In the first line the name is wrong; later a line lacks it.
            None if rows.is_empty() => {
                let columns = object.keys().cloned().collect();
                Err(DataError::Column { path: path.to_owned(), column: key.into(), columns })
            }
            None => Err(DataError::line(path, line, format!("no value for `{key}`, which the lines before have"))),
        };
        let fields = wanted.iter().map(field).collect::<Result<_, _>>()?;
        rows.push(Row { line, fields });
    }
    Ok(rows)
}

/// Where the wanted columns stand in a row.
struct Selection {
    columns: Vec<String>,
    positions: Vec<usize>,
}

impl Selection {
    fn new(path: &Path, columns: &[String], wanted: &[&str]) -> Result<Self, DataError> {
        let position = |&name: &&str| {
            let mut found = columns.iter().enumerate().filter(|(_, column)| *column == name).map(|(index, _)| index);
            match (found.next(), found.next()) {
                (Some(index), None) => Ok(index),
                (None, _) => {
                    Err(DataError::Column { path: path.to_owned(), column: name.into(), columns: columns.to_vec() })
                }
                _ => Err(DataError::file(path, format!("two columns are called `{name}`; rename one"))),
            }
        };
        let positions = wanted.iter().map(position).collect::<Result<_, _>>()?;
        Ok(Self { columns: columns.to_vec(), positions })
    }

    /// `header`: whether the file has one, for the message.
    fn row(&self, path: &Path, line: usize, fields: &[&str], header: bool) -> Result<Row, DataError> {
        let expected = self.columns.len();
        if fields.len() == expected {
            return Ok(Row { line, fields: self.positions.iter().map(|&k| fields[k].to_owned()).collect() });
        }
        let reason = match (fields, header) {
            ([""], _) => format!("a blank line; expected {expected} fields"),
            (_, true) => {
                let columns = list(&self.columns);
                format!(
                    "{} fields, but the header has {expected} ({columns}); is a separator missing or too many?",
                    fields.len()
                )
            }
            (_, false) => {
                let columns = list(&self.columns);
                format!("{} fields, expected {expected} ({columns}; this file has no header)", fields.len())
            }
        };
        Err(DataError::line(path, line, reason))
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
