//! Tests of [`super`]; those of the formats stand beside `table`.

use std::fs;
use std::path::PathBuf;

use super::*;

fn file(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, text).unwrap();
    (dir, path)
}

fn columns() -> Columns {
    Columns { text: "text".into(), pair: None, label: "label".into(), regression: false }
}

fn classes(names: &[&str]) -> Labels {
    Labels::Classes(names.iter().map(|&name| name.to_owned()).collect())
}

#[test]
fn three_formats_say_the_same() {
    for (name, text) in [
        ("a.tsv", "id\ttext\tlabel\n1\tgood, \"really\"\t10\n2\tbad\t2\n"),
        ("a.csv", "id,text,label\r\n1,\"good, \"\"really\"\"\",10\r\n2,bad,2\r\n"),
        ("a.jsonl", "{\"text\":\"good, \\\"really\\\"\",\"label\":10}\n\n{\"text\":\"bad\",\"label\":2}"),
        ("a.ndjson", "{\"text\":\"good, \\\"really\\\"\",\"label\":\"10\"}\n{\"text\":\"bad\",\"label\":\"2\"}"),
    ] {
        let (_dir, path) = file(name, text);
        let (examples, labels) = load_split(&path, &columns(), None).unwrap();
        assert_eq!(labels, classes(&["2", "10"]), "{name}: numbers in their order");
        assert_eq!(examples[0], Example { text: "good, \"really\"".into(), pair: None, label: Label::Class(1) });
        assert_eq!(examples[1].label, Label::Class(0));
    }
}

#[test]
fn pairs_and_booleans() {
    let (_dir, path) =
        file("a.jsonl", "{\"q\":\"x\",\"a\":\"y\",\"ok\":true}\n{\"q\":\"z\",\"a\":\"w\",\"ok\":false}\n");
    let columns = Columns { text: "q".into(), pair: Some("a".into()), label: "ok".into(), regression: false };
    let data = load(&path, &path, &columns).unwrap();
    assert_eq!(data.labels, classes(&["false", "true"]));
    assert_eq!(data.train[0], Example { text: "x".into(), pair: Some("y".into()), label: Label::Class(1) });
    assert_eq!((data.metric, data.name.as_str()), (Metric::Accuracy, "a"));
}

#[test]
fn numbers_to_predict() {
    let (_dir, path) = file("a.csv", "text,label\nx,1.5\ny, -2 \n");
    let columns = Columns { regression: true, ..columns() };
    let data = load(&path, &path, &columns).unwrap();
    assert_eq!((data.labels, data.metric), (Labels::Regression, Metric::Spearman));
    assert_eq!([data.dev[0].label, data.dev[1].label], [Label::Score(1.5), Label::Score(-2.0)]);
    for (text, needle) in [
        (
            "text,label\nx,1\ny,high\n",
            ":3: `label` is `high`, expected a number; without --regression labels are classes",
        ),
        ("text,label\nx,1\ny,nan\n", ":3: `label` is `nan`, expected a number"),
        ("text,label\nx,1\ny,\n", ":3: `label` is ``, expected a number"),
        ("text,label\nx,1\ny,1\n", "all scores in `label` are `1`; expected different ones"),
    ] {
        let (_dir, path) = file("a.csv", text);
        let error = load_split(&path, &columns, None).unwrap_err().to_string();
        assert!(error.contains(needle), "{error}");
    }
}

#[test]
fn messages_name_what_is_wrong() {
    let many: String = (0..=MAX_CLASSES).map(|k| format!("x\t{}\n", k as f64 / 3.0)).collect();
    for (text, needle) in [
        ("text\tlabel\na\tx\nb\tx\n", "a.tsv: all labels are `x`; expected at least two classes in `label`"),
        ("text\tlabel\na\tx\n \ty\n", "a.tsv:3: `text` is empty; expected a text"),
        ("text\tlabel\na\tx\nb\t\n", "a.tsv:3: `label` is empty; expected a class"),
        ("txt\tlabel\na\tx\nb\ty\n", "a.tsv: no column `text`; the columns are txt, label; did you mean `txt`?"),
        ("text\tlable\na\tx\nb\ty\n", "a.tsv: no column `label`; the columns are text, lable; did you mean `lable`?"),
        (&format!("text\tlabel\n{many}"), "1001 different labels in `label`; for numbers add --regression"),
    ] {
        let (_dir, path) = file("a.tsv", text);
        let error = load_split(&path, &columns(), None).unwrap_err().to_string();
        assert!(error.contains(needle), "{error}");
    }
    let (_dir, path) = file("a.csv", "text,b,label\nx,,1\ny,z,2\n");
    let pairs = Columns { pair: Some("b".into()), ..columns() };
    let error = load_split(&path, &pairs, None).unwrap_err().to_string();
    assert!(error.contains(":2: `b` is empty"), "{error}");
}

#[test]
fn labels_that_training_does_not_know_are_refused() {
    let (_train_dir, train) = file("train.tsv", "text\tlabel\na\tyes\nb\tno\n");
    let (_dir, dev) = file("dev.tsv", "text\tlabel\na\tno\nb\tmaybe\n");
    let error = load(&train, &dev, &columns()).unwrap_err().to_string();
    assert!(error.contains("dev.tsv:3: unknown label `maybe`; the classes are no, yes (column `label`)"), "{error}");
    // A dev file of one known class is fine, and its classes are those of training.
    let (_dir, dev) = file("dev.tsv", "text\tlabel\na\tyes\n");
    let (examples, labels) = load_split(&dev, &columns(), Some(&classes(&["no", "yes"]))).unwrap();
    assert_eq!((examples[0].label, labels.outputs()), (Label::Class(1), 2));
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
    assert_eq!(split_half(&[], 3), (Vec::new(), Vec::new()));
}

#[test]
fn texts_to_predict() {
    let (_dir, path) = file("a.TXT", "\u{feff}one\n\ntwo\r\n");
    let texts = load_texts(&path, "text", None).unwrap();
    assert_eq!(texts, [("one".into(), None), ("two".into(), None)]);
    let error = load_texts(&path, "text", Some("b")).unwrap_err().to_string();
    assert!(error.contains("a .txt file has no column `b`"), "{error}");
    let (_dir, path) = file("a.csv", "b,id,text\ny,1,x\n");
    assert_eq!(load_texts(&path, "text", Some("b")).unwrap(), [("x".into(), Some("y".into()))]);
    for (name, text, needle) in [
        ("a.csv", "text,b\nx,\n", ":2: `b` is empty"),
        ("a.txt", "\n", "the file is empty"),
        ("a.md", "x", "expected a name that ends in .txt, .tsv, .csv, .jsonl or .ndjson"),
    ] {
        let (_dir, path) = file(name, text);
        let error = load_texts(&path, "text", Some("b").filter(|_| name == "a.csv")).unwrap_err().to_string();
        assert!(error.contains(needle), "{error}");
    }
}
