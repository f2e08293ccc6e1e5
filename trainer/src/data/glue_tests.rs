//! Tests of [`super`]: the real files where they are at hand, and what can be wrong with them.

use std::fs;

use super::*;

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
        eprintln!("skipped: ../shared/data/glue is not here");
        return;
    }
    // Examples in train and dev, and how many of each class, by index. Counted by a Python script.
    let expected: [(Task, &[usize], &[usize]); 8] = [
        (Task::Cola, &[2528, 6023], &[322, 721]),
        (Task::Sst2, &[29780, 37569], &[428, 444]),
        (Task::Mrpc, &[1194, 2474], &[129, 279]),
        (Task::Rte, &[1249, 1241], &[146, 131]),
        (Task::Qnli, &[9768, 9707], &[2702, 2761]),
        (Task::Mnli, &[3408, 3313, 3278], &[3479, 3123, 3213]),
        (Task::Qqp, &[18550, 10089], &[1875, 1125]),
        (Task::Wnli, &[323, 312], &[40, 31]),
    ];
    let counts = |examples: &[Example], classes: usize| {
        let of = |class| examples.iter().filter(|e| e.label == Label::Class(class)).count();
        (0..classes).map(of).collect::<Vec<_>>()
    };
    for (task, train, dev) in expected {
        let data = load(task, &root).unwrap();
        assert_eq!(counts(&data.train, train.len()), train, "{task}");
        assert_eq!(counts(&data.dev, dev.len()), dev, "{task}");
        assert_eq!(data.train.len(), train.iter().sum::<usize>(), "{task}");
        assert_eq!(data.dev.len(), dev.iter().sum::<usize>(), "{task}");
        assert_eq!(data.labels.outputs(), dev.len());
        check_texts(&data);
    }
    let data = load(Task::Stsb, &root).unwrap();
    assert_eq!((data.train.len(), data.dev.len()), (5749, 1500));
    let sum: f64 =
        data.dev.iter().map(|e| if let Label::Score(score) = e.label { f64::from(score) } else { f64::NAN }).sum();
    assert!((sum - 3_545.861_333).abs() < 1e-3, "{sum}");
    check_texts(&data);
}

fn check_texts(data: &Dataset) {
    let mut all = data.train.iter().chain(&data.dev);
    let pairs = data.train[0].pair.is_some();
    assert!(all.all(|e| !e.text.is_empty() && e.pair.as_ref().map(|pair| !pair.is_empty()) == pairs.then_some(true)));
    let subset = ["QNLI", "MNLI", "QQP"].contains(&data.name.as_str());
    assert_eq!(!data.notes.is_empty(), subset, "{:?}", data.notes);
}

#[test]
fn some_exact_rows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/glue");
    if !root.is_dir() {
        eprintln!("skipped: ../shared/data/glue is not here");
        return;
    }
    // The folder of the task itself is as good.
    let cola = load(Task::Cola, &root.join("CoLA")).unwrap();
    // The last line of the file has no end.
    assert!(cola.dev.last().unwrap().text.ends_with("Bill about himself."));
    let mrpc = load(Task::Mrpc, &root).unwrap();
    let pair = "\"The foodservice pie business does not fit our long-term growth strategy.";
    assert_eq!(mrpc.dev[0].pair.as_deref(), Some(pair), "the quote is a character");
    assert_eq!(mrpc.dev[0].label, Label::Class(1));
}

#[test]
fn takes_marks_line_ends_and_quotes_as_the_files_have_them() {
    let (_dir, data) = write("\u{feff}sentence\tlabel\r\nit 's \"fine\t1\r\nnot\t0".as_bytes(), Task::Sst2);
    let data = data.unwrap();
    assert_eq!(data.dev[0].text, "it 's \"fine");
    assert_eq!(data.dev[1], Example { text: "not".into(), pair: None, label: Label::Class(0) });
    assert!(data.notes[0].contains("SST-2 train.tsv has 2 examples, GLUE's has 67349"), "{:?}", data.notes);
}

#[test]
fn columns_are_found_by_name() {
    let (_dir, data) = write(b"label\tsentence2\tindex\tsentence1\nnot_entailment\tb\t7\ta\n", Task::Rte);
    let expected = Example { text: "a".into(), pair: Some("b".into()), label: Label::Class(1) };
    assert_eq!(data.unwrap().train, [expected]);
    let (_dir, data) = write(b"sentence1\tsentence2\tlabel\na\tb\t2\n", Task::Mnli);
    assert_eq!(data.unwrap().train[0].label, Label::Class(2));
    // An empty text is what the official file says.
    let (_dir, data) = write(b"s\t1\t\t\ns\t0\t*\tx\n", Task::Cola);
    assert_eq!(data.unwrap().train[0].text, "");
}

#[test]
fn broken_rows_of_qqp_are_left_out_and_said() {
    let header = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate";
    let text = format!("{header}\n0\t0\t0\ta\tb\t1\n1\t1\t1\thalf\n of it\tc\t0\n2\t2\t2\td\te\t0\n");
    let (_dir, data) = write(text.as_bytes(), Task::Qqp);
    let data = data.unwrap();
    assert_eq!(data.train.len(), 2);
    assert!(data.notes[0].contains("train.tsv: 2 broken rows are left out; the first is line 3"), "{:?}", data.notes);
}

#[test]
fn messages_name_line_and_expectation() {
    for (text, task, needle) in [
        (&b"sentence\tlabel\nfine\t2\n"[..], Task::Sst2, ":2: the label is `2`, expected negative, positive or 0 to 1"),
        (b"sentence\tlabel\nfine\t1\tx\n", Task::Sst2, ":2: 3 fields, but the header has 2 (sentence, label)"),
        (b"sentence\tlabel\nfine\n", Task::Sst2, ":2: 1 fields, but the header has 2"),
        (b"s\t1\tx\n", Task::Cola, ":1: 3 fields, expected 4 (source, label, mark, sentence; this file has no header)"),
        (
            b"sentense\tlabel\nfine\t1\n",
            Task::Sst2,
            "no column `sentence`; the columns are sentense, label; did you mean `sentense`?",
        ),
        (b"sentence\tlabel\nok\t1\nbad \xff\t1\n", Task::Sst2, ":3: not UTF-8 (byte 24"),
        (b"sentence\tlabel\n", Task::Sst2, "there is no example"),
        (b"", Task::Sst2, "the file is empty"),
        (b"sentence1\tsentence2\tscore\na\tb\tx\n", Task::Stsb, ":2: the score is `x`, expected a number from 0 to 5"),
        (
            b"sentence1\tsentence2\tscore\na\tb\t5.1\n",
            Task::Stsb,
            ":2: the score is `5.1`, expected a number from 0 to 5",
        ),
    ] {
        let (_dir, data) = write(text, task);
        let error = data.unwrap_err().to_string();
        assert!(error.contains(needle) && error.contains("train.tsv"), "{error}");
    }
}

#[test]
fn missing_files_are_named() {
    let error = load(Task::Rte, Path::new("/nowhere")).unwrap_err().to_string();
    let expected = "--data /nowhere: no RTE here; looked for /nowhere/RTE/train.tsv and /nowhere/train.tsv; \
                    there is no such folder";
    assert_eq!(error, expected);
    let dir = tempfile::tempdir().unwrap();
    let error = load(Task::Rte, dir.path()).unwrap_err().to_string();
    assert!(error.ends_with("give the task's folder, or the one that holds it"), "{error}");
    fs::write(dir.path().join("train.tsv"), "sentence\tlabel\na\t1\n").unwrap();
    let error = load(Task::Sst2, dir.path()).unwrap_err().to_string();
    assert!(error.contains("dev.tsv: No such file"), "{error}");
}

#[test]
fn names() {
    for task in Task::ALL {
        assert_eq!(task.to_string().parse(), Ok(task));
        assert_eq!(task.folder().parse(), Ok(task));
        assert_eq!(serde_json::to_string(&task).unwrap(), format!("\"{task}\""));
    }
    let error = "sst".parse::<Task>().unwrap_err().to_string();
    assert_eq!(error, "`sst` is not a task; the tasks are reviews, cola, sst2, mrpc, stsb, rte, qnli, mnli, qqp, wnli");
}
