//! Tests of [`super`]: line numbers and messages of the three formats.

use std::path::PathBuf;

use super::*;

fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, bytes).unwrap();
    (dir, path)
}

fn rows(name: &str, text: &str) -> Vec<(usize, String)> {
    let (_dir, path) = file(name, text.as_bytes());
    read(&path, &["a"]).unwrap().into_iter().map(|mut row| (row.line, row.fields.remove(0))).collect()
}

fn message(name: &str, bytes: &[u8]) -> String {
    let (_dir, path) = file(name, bytes);
    let error = read(&path, &["a", "b"]).unwrap_err().to_string();
    // Every message starts with the file.
    error.strip_prefix(&path.display().to_string()).unwrap_or_else(|| panic!("{error}")).to_owned()
}

#[test]
fn lines_are_those_of_an_editor() {
    let expected = [(2, "1".to_owned()), (3, "2".to_owned())];
    for ending in ["\n", "\r\n"] {
        for (name, text) in [("x.tsv", "a\tb|1\tx|2\ty"), ("x.csv", "a,b|1,x|2,y")] {
            for mark in ["", "\u{feff}"] {
                for end in ["", "|", "|||"] {
                    let text = format!("{mark}{text}{end}").replace('|', ending);
                    assert_eq!(rows(name, &text), expected, "{name} {text:?}");
                }
            }
        }
    }
    assert_eq!(rows("x.JSONL", "\u{feff}{\"a\":1}\r\n\r\n{\"a\":true}\r\n"), [(1, "1".into()), (3, "true".into())]);
}

#[test]
fn csv_lines_are_right_after_quoted_line_ends_and_blank_lines() {
    for ending in ["\n", "\r\n"] {
        let text = "a,b|\"one|two\",x||\"three, \"\"3\"\"\",y|four,z".replace('|', ending);
        let expected = [(2, format!("one{ending}two")), (5, "three, \"3\"".into()), (6, "four".into())];
        assert_eq!(rows("x.csv", &text), expected);
    }
    let ragged = message("x.csv", b"a,b\r\n\"one\r\ntwo\",x\r\n1,2,3\r\n");
    assert!(ragged.starts_with(":4: 3 fields, but the header has 2 (a, b)"), "{ragged}");
}

#[test]
fn a_quote_that_never_closes_does_not_swallow_rows() {
    for text in ["a,b\n1,x\n2,\"y\n3,z\n", "a,b\n1,x\n2,\"y", "a,b\r\n1,x\r\n2,\"y\r\n3,z\r\n\r\n"] {
        let error = message("x.csv", text.as_bytes());
        assert!(error.starts_with(":3: a quote that opens in this row never closes"), "{error}");
    }
    assert!(message("x.csv", b"a,\"b\n1,2\n").starts_with(":1: a quote"), "in the header");
    // Within an unquoted field it is a character, and a closed quote may be the last thing.
    assert_eq!(rows("x.csv", "a,b\n5\" disk,\"x\""), [(2, "5\" disk".into())]);
}

#[test]
fn messages() {
    for (name, bytes, expected) in [
        ("x.xls", &b"a"[..], ": unknown format; expected a name that ends in .tsv, .csv, .jsonl or .ndjson"),
        ("x", b"a", ": unknown format"),
        ("x.tsv", b"", ": the file is empty"),
        ("x.csv", b"\xef\xbb\xbf\r\n", ": the file is empty"),
        ("x.jsonl", b"\n\n", ": the file is empty"),
        ("x.tsv", b"a\tb\n", ": there is a header but no row"),
        ("x.csv", b"a,b\r\n", ": there is a header but no row"),
        ("x.tsv", b"a\tB\n1\t2\n", ": no column `b`; the columns are a, B; did you mean `B`?"),
        (
            "x.csv",
            b"a;b\n1;2\n",
            ": no column `a`; the columns are a;b; is ';' the separator? .tsv needs tabs, .csv commas",
        ),
        ("x.jsonl", b"{\"a\":1,\"B\":2}\n", ": no column `b`; the columns are B, a; did you mean `B`?"),
        ("x.tsv", b"a\tb\ta\n1\t2\t3\n", ": two columns are called `a`; rename one"),
        ("x.tsv", b"a\tb\n1\t2\n3\n", ":3: 1 fields, but the header has 2 (a, b); is a separator missing or too many?"),
        ("x.tsv", b"a\tb\n1\t2\t3\n", ":2: 3 fields, but the header has 2"),
        ("x.tsv", b"a\tb\n1\t2\n\n3\t4\n", ":3: a blank line; expected 2 fields"),
        ("x.csv", b"a,b\n1\n", ":2: 1 fields, but the header has 2"),
        ("x.jsonl", b"{oops\n", ":1: not JSON: key must be a string (column 2); expected an object on each line"),
        ("x.jsonl", b"{\"a\":1,\"b\":2}\n[1]\n", ":2: expected a JSON object on each line"),
        ("x.jsonl", b"{\"a\":1,\"b\":2}\n{\"a\":1}\n", ":2: no value for `b`, which the lines before have"),
        ("x.jsonl", b"{\"a\":1,\"b\":2}\n{\"a\":1,\"b\":null}\n", ":2: `b` is null; expected a value"),
        ("x.jsonl", b"{\"a\":1,\"b\":[2]}\n", ":1: `b` is nested; expected a string, number or boolean"),
        (
            "x.tsv",
            b"a\tb\n1\t2\ncaf\xe9\t2\n",
            ":3: not UTF-8 (byte 11 of the file, from 0); convert it, for example by `iconv -f latin1",
        ),
        (
            "x.csv",
            b"\xff\xfea\0,\0b\0",
            ":1: not UTF-8 (byte 0 of the file, from 0); convert it, for example by `iconv -f utf-16",
        ),
    ] {
        let found = message(name, bytes);
        assert!(found.starts_with(expected), "{name} {bytes:?}: {found}");
    }
    let error = read(Path::new("/nowhere/x.tsv"), &["a"]).unwrap_err().to_string();
    assert!(error.starts_with("/nowhere/x.tsv: No such file") && error.contains("check the path"), "{error}");
}

#[test]
fn other_columns_may_hold_anything() {
    assert_eq!(rows("x.jsonl", "{\"a\":1,\"id\":null}\n{\"a\":2,\"more\":[1]}\n").len(), 2);
    assert_eq!(rows("x.tsv", "a\tx\tx\n\"1\t\"\t\n"), [(2, "\"1".into())]);
}

#[test]
fn short_rows_are_left_out_where_that_is_asked_for() {
    let text = "a\tb\n1\t2\n3\n4\t5\n";
    let (rows, skipped) = tsv(Path::new("x.tsv"), text, None, &["b"], Short::Skip).unwrap();
    assert_eq!((rows.len(), skipped), (2, vec![3]));
    let error = tsv(Path::new("x.tsv"), "a\tb\n1\t2\t3\n", None, &["a"], Short::Skip);
    assert!(error.unwrap_err().to_string().starts_with("x.tsv:2: 3 fields"), "too many are never left out");
}
