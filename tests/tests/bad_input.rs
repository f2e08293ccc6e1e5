//! What a user gets wrong: a message that names it, an exit code, and nothing half-written.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

struct Fixture {
    dir: tempfile::TempDir,
    flags: Vec<String>,
}

impl Fixture {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let flags = common::tiny_flags(dir.path());
        Self { dir, flags }
    }

    /// Fails with flags added (a repeated flag replaces the first), and leaves no `out` behind.
    fn fail(&self, extra: &[&str]) -> String {
        let out = self.dir.path().join("out");
        let flags = common::with(&self.flags, &["--out", out.to_str().unwrap()]);
        let message = common::fail(&common::with(&flags, extra));
        assert!(!out.exists(), "{message}");
        message
    }

    fn model_file(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join("tiny").join(name)
    }

    fn edit_config(&self, key: &str, value: impl Into<Value>) {
        let path = self.model_file("config.json");
        let mut config: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        config[key] = value.into();
        fs::write(path, config.to_string()).unwrap();
    }

    fn data(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

fn expect(message: &str, needles: &[&str]) {
    assert!(needles.iter().all(|needle| message.contains(needle)), "{needles:?} not in:\n{message}");
}

/// Edits the JSON header of a safetensors file.
fn edit_header(path: &Path, edit: impl FnOnce(&mut Value)) {
    let bytes = fs::read(path).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    edit(&mut header);
    let header = header.to_string().into_bytes();
    let mut out = (header.len() as u64).to_le_bytes().to_vec();
    out.extend(header);
    out.extend(&bytes[8 + length..]);
    fs::write(path, out).unwrap();
}

const QUERY: &str = "bert.encoder.layer.0.attention.self.query.weight";

/// What is done to the file, and what the message must hold.
type Damage = (&'static str, fn(&Path), &'static [&'static str]);

#[test]
fn damaged_weights() {
    let cases: [Damage; 8] = [
        ("missing", |p| fs::remove_file(p).unwrap(), &["model.safetensors", "no such file"]),
        ("empty", |p| fs::write(p, b"").unwrap(), &["0 bytes are too few"]),
        (
            "truncated",
            |p| {
                let bytes = fs::read(p).unwrap();
                fs::write(p, &bytes[..bytes.len() - 100]).unwrap();
            },
            &["truncated"],
        ),
        (
            "header length lies",
            |p| {
                let mut bytes = fs::read(p).unwrap();
                bytes[..8].copy_from_slice(&(1u64 << 26).to_le_bytes());
                fs::write(p, bytes).unwrap();
            },
            &["header's length exceeds"],
        ),
        ("overlap", |p| edit_header(p, |h| h[QUERY]["data_offsets"] = serde_json::json!([0, 2304])), &["offsets of"]),
        (
            "wrong shape",
            |p| edit_header(p, |h| h[QUERY]["shape"] = serde_json::json!([12, 48])),
            &[QUERY, "[12, 48]", "[24, 24]"],
        ),
        (
            "missing key",
            |p| {
                edit_header(p, |h| {
                    let entry = h.as_object_mut().unwrap().remove(QUERY).unwrap();
                    h["cls.query"] = entry;
                })
            },
            &["1 tensor missing", QUERY],
        ),
        (
            "unknown key",
            |p| {
                edit_header(p, |h| {
                    let entry = h["classifier.weight"].take();
                    h.as_object_mut().unwrap().remove("classifier.weight");
                    h["adapter.weight"] = entry;
                })
            },
            &["adapter.weight", "no place for"],
        ),
    ];
    for (what, damage, needles) in cases {
        let fixture = Fixture::new();
        damage(&fixture.model_file("model.safetensors"));
        let message = fixture.fail(&[]);
        expect(&message, &[&["model.safetensors"], needles].concat());
        println!("{what}: {}", message.trim());
    }
    let fixture = Fixture::new();
    let path = fixture.model_file("model.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    // The first tensor's first value; the last would be the classifier's, which a new task replaces.
    let at = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    bytes[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(&path, bytes).unwrap();
    expect(&fixture.fail(&[]), &["NaN at index 0", "damaged"]);
}

#[test]
fn wrong_configuration_and_vocabulary() {
    let fixture = Fixture::new();
    fixture.edit_config("model_type", "roberta");
    expect(&fixture.fail(&[]), &["config.json", "`model_type` is \"roberta\", expected \"bert\""]);
    let fixture = Fixture::new();
    fs::remove_file(fixture.model_file("config.json")).unwrap();
    expect(&fixture.fail(&[]), &["config.json", "no such file"]);
    let fixture = Fixture::new();
    let path = fixture.model_file("vocab.txt");
    fs::write(&path, fs::read_to_string(&path).unwrap() + "one\nmore\n").unwrap();
    expect(&fixture.fail(&[]), &["vocab.txt", "27 tokens", "25 rows"]);
    let fixture = Fixture::new();
    fs::remove_file(fixture.model_file("vocab.txt")).unwrap();
    expect(&fixture.fail(&[]), &["tokenizer.json or vocab.txt"]);
    let fixture = Fixture::new();
    fs::write(fixture.model_file("vocab.txt"), "a\nb\n").unwrap();
    expect(&fixture.fail(&[]), &["vocab.txt", "no `[SEP]`"]);
    let fixture = Fixture::new();
    expect(&fixture.fail(&["--model", "/no/such/model"]), &["/no/such/model", "no such folder"]);
}

#[test]
fn wrong_data() {
    let fixture = Fixture::new();
    for (bytes, needles) in [
        (&b""[..], &["train2.tsv: the file is empty"][..]),
        (b"text\tlabel\n", &["a header but no row"]),
        (b"text\tlabel\ngood\tx\nbad\tx\n", &["all labels are `x`"]),
        (b"text\tlabel\ngood\tpos\nbad\n", &["train2.tsv:3: 1 fields"]),
        (b"text\tlabel\ngood\tpos\nbad\xff\tneg\n", &["train2.tsv:3: not UTF-8", "iconv"]),
        (b"text\tlabel\n \tpos\nbad\tneg\n", &["train2.tsv:2: `text` is empty"]),
        (b"texts\tlabel\ngood\tpos\n", &["no column `text`", "did you mean `texts`?"]),
    ] {
        let train = fixture.data("train2.tsv", bytes);
        expect(&fixture.fail(&["--train", &train]), needles);
    }
    let dev = fixture.data("dev2.tsv", b"text\tlabel\ngood\tmaybe\n");
    expect(&fixture.fail(&["--dev", &dev]), &["dev2.tsv:2: unknown label `maybe`; the classes are neg, pos"]);
    expect(&fixture.fail(&["--train", "/no/train.tsv"]), &["/no/train.tsv"]);
    // A byte order mark and Windows line ends are fine.
    let train = fixture.data("bom.tsv", "\u{feff}text\tlabel\r\nthe food is good\tpos\r\nbad\tneg\r\n".as_bytes());
    let out = fixture.dir.path().join("fine");
    let extra = ["--train", &train, "--out", out.to_str().unwrap(), "--method", "plain", "--steps", "1"];
    common::succeed(&common::with(&fixture.flags, &extra));
}

#[test]
fn texts_that_are_too_long_are_cut_counted_and_said() {
    let fixture = Fixture::new();
    let long = format!("text\tlabel\n{}\tpos\nbad\tneg\n", "the food is good . ".repeat(20));
    let train = fixture.data("long.tsv", long.as_bytes());
    let out = fixture.dir.path().join("long");
    let extra = ["--train", &train, "--out", out.to_str().unwrap(), "--method", "plain", "--steps", "1"];
    common::succeed(&common::with(&fixture.flags, &extra));
    let report = fs::read_to_string(out.join("run.json")).unwrap();
    expect(&report, &["1 of 2 training texts are longer than 16 tokens and were cut"]);
}

#[test]
fn wrong_flags() {
    let fixture = Fixture::new();
    for (flags, needles) in [
        (
            &["--shape", "query=5,2 x 4,6"][..],
            &["--shape query", "rows [5, 2] multiply to 10, but the matrix has 24 rows"][..],
        ),
        (&["--shape", "ffn=2,2 x 2,2"], &["unknown group `ffn`", "ffn-up"]),
        (&["--top", "3"], &["--top: 3 matrices", "the model has 2 layers"]),
        (&["--top", "0"], &["--top", "--method plain"]),
        (&["--max-length", "33"], &["--max-length: 33 tokens; the model takes 3 to 32"]),
        (&["--lr", "0"], &["--lr: 0; expected a positive number"]),
        (&["--batch", "0"], &["--batch: 0; expected at least 1"]),
        (&["--cores", "0"], &["--cores"]),
        (&["--core-lr", "fast"], &["neither `auto` nor a positive number"]),
        (&["--device", "gpu:99"], &["--device gpu:99"]),
        (&["--device", "tpu"], &["none of auto, cpu, gpu"]),
        (&["--text", "body"], &["no column `body`; the columns are text, label"]),
    ] {
        expect(&fixture.fail(flags), needles);
    }
}

#[test]
fn an_existing_folder_is_not_touched() {
    let fixture = Fixture::new();
    let out = fixture.dir.path().join("mine");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("thesis.txt"), "do not lose").unwrap();
    let arguments = common::with(&fixture.flags, &["--out", out.to_str().unwrap()]);
    expect(&common::fail(&arguments), &["--out", "exists", "--resume"]);
    assert_eq!(fs::read_dir(&out).unwrap().count(), 1);
    expect(&common::fail(&["finetune", "--resume", "--out", out.to_str().unwrap()]), &["run.json", "folder of a run"]);
}

#[test]
fn resuming_with_other_flags_is_refused() {
    let fixture = Fixture::new();
    let out = fixture.dir.path().join("run");
    let out = out.to_str().unwrap();
    common::succeed(&common::with(&fixture.flags, &["--out", out, "--method", "plain", "--steps", "1"]));
    expect(&common::fail(&["finetune", "--resume", "--out", out]), &["is finished", "/model"]);
    let path = Path::new(out).join("run.json");
    let mut report: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    report["status"] = "running".into();
    fs::write(&path, report.to_string()).unwrap();
    let message = common::fail(&["finetune", "--resume", "--out", out, "--lr", "0.5"]);
    expect(&message, &["--lr: 0.5, but the run", "was started with 0.001"]);
    // The same value is no contradiction.
    common::succeed(&["finetune", "--resume", "--out", out, "--batch", "8"]);
}

#[test]
fn a_diverging_run_stops_with_its_step() {
    let fixture = Fixture::new();
    let out = fixture.dir.path().join("run");
    let extra = [
        "--out",
        out.to_str().unwrap(),
        "--method",
        "plain",
        "--checkpoint-every",
        "1",
        "--warmup",
        "0",
        "--lr",
        "1e37",
    ];
    let message = common::fail(&common::with(&fixture.flags, &extra));
    expect(&message, &["step ", "not finite", "--lr", "the last checkpoint is at step"]);
    assert!(out.join("checkpoint/state.json").is_file());
    assert!(!out.join("model").exists());
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_nothing_half_written_and_the_run_goes_on() {
    let fixture = Fixture::new();
    let out = fixture.dir.path().join("run");
    let flags = ["--out", out.to_str().unwrap(), "--method", "plain", "--steps", "6", "--checkpoint-every", "2"];
    // A limit on the size of files fails in the middle of a file, as a full disk does. 32 KB hold the run's small files,
    // not a checkpoint.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$@\"", "sh", common::COMMAND])
        .args(common::with(&fixture.flags, &flags))
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    expect(&message, &["checkpoint", "tensors.safetensors", "too large", "overfold finetune --resume --out"]);
    let left: Vec<_> = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name == "run.json" || name == "log.jsonl"), "{left:?}");
    // Room was made.
    common::succeed(&["finetune", "--resume", "--out", out.to_str().unwrap()]);
    assert!(out.join("model/model.safetensors").is_file());
}

#[test]
fn a_reference_of_another_task_is_refused() {
    let fixture = Fixture::new();
    let reference = fixture.dir.path().join("reference");
    let plain = common::with(&fixture.flags, &["--method", "plain", "--steps", "1", "--out"]);
    common::succeed(&[&plain[..], &[reference.to_str().unwrap().to_owned()]].concat());
    let model = reference.join("model");
    let model = model.to_str().unwrap();
    expect(&fixture.fail(&["--reference", model]), &["--reference", "--method static"]);
    expect(&fixture.fail(&["--method", "static", "--reference", "nowhere"]), &["nowhere"]);
    let lines = b"text\tlabel\nthe food is good\tyes\nthe room is bad\tno\n";
    let other = fixture.data("other.tsv", lines);
    let message = fixture.fail(&["--method", "static", "--reference", model, "--train", &other, "--dev", &other]);
    expect(&message, &["--reference", "neg", "yes", "--method plain"]);
}
