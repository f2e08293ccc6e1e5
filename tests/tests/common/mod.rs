//! What several tests need: a tiny model made on the spot, a small data set, the command.
#![allow(dead_code)]

use std::ffi::OsStr;
use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;

use burn::tensor::Device;
use overfold::checkpoint::{Files, Precision, save_model};
use overfold::model::{BertConfig, BertForSequenceClassification};
use serde_json::Value;

/// The words of the tiny model; ids follow the order.
const WORDS: &[&str] = &[
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "food", "service", "was", "is", "good", "bad", "great",
    "awful", "very", "not", "and", "room", "staff", "price", "a", ".", ",", "nice", "poor",
];

pub const LAYERS: usize = 2;

/// A folder with a random two-layer BERT, as `transformers` would have written it.
pub fn tiny_model(dir: &Path) -> PathBuf {
    /// The back end's generator is one for the process: tests that seed it and draw must take turns.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap();
    let folder = dir.join("tiny");
    if folder.exists() {
        return folder;
    }
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("vocab.txt"), WORDS.join("\n") + "\n").unwrap();
    let text = format!(
        r#"{{"model_type":"bert","vocab_size":{},"hidden_size":24,"num_hidden_layers":{LAYERS},"num_attention_heads":3,
        "intermediate_size":48,"max_position_embeddings":32,"type_vocab_size":2,"initializer_range":0.2,"hidden_act":"gelu",
        "hidden_dropout_prob":0.1,"attention_probs_dropout_prob":0.1,"layer_norm_eps":1e-12,"pad_token_id":0}}"#,
        WORDS.len()
    );
    fs::write(folder.join("config.json"), &text).unwrap();
    let mut config = BertConfig::from_json(&text).unwrap();
    config.set_head(&["a".into(), "b".into()]);
    let device = Device::flex();
    device.seed(5);
    let model = BertForSequenceClassification::new(&config, 2, &device);
    let source = Files::folder(&folder);
    let written = dir.join("written");
    fs::create_dir_all(&written).unwrap();
    save_model(&written, &model, &config, &source, Precision::Single).unwrap();
    fs::rename(written.join("model.safetensors"), folder.join("model.safetensors")).unwrap();
    folder
}

/// `train.tsv` and `dev.tsv` with columns `text` and `label`: sentences whose label is plain from one word.
pub fn tiny_data(dir: &Path) -> (PathBuf, PathBuf) {
    let mut lines = Vec::new();
    for thing in ["food", "service", "room", "staff", "price"] {
        for (word, label) in
            [("good", "pos"), ("bad", "neg"), ("great", "pos"), ("awful", "neg"), ("nice", "pos"), ("poor", "neg")]
        {
            for verb in ["is", "was"] {
                lines.push(format!("the {thing} {verb} very {word} .\t{label}"));
                lines.push(format!("a {word} {thing} , the {thing} {verb} {word}\t{label}"));
            }
        }
    }
    let (dev, train): (Vec<_>, Vec<_>) = lines.iter().enumerate().partition(|(k, _)| k % 5 == 0);
    let write = |name: &str, rows: Vec<(usize, &String)>| {
        let path = dir.join(name);
        let body: String = rows.iter().map(|(_, line)| format!("{line}\n")).collect();
        fs::write(&path, format!("text\tlabel\n{body}")).unwrap();
        path
    };
    (write("train.tsv", train), write("dev.tsv", dev))
}

/// The command under test.
pub const COMMAND: &str = env!("CARGO_BIN_EXE_overfold-under-test");

/// Runs it.
pub fn overfold<S: AsRef<OsStr>>(arguments: &[S]) -> Output {
    Command::new(COMMAND).args(arguments).output().unwrap()
}

/// Runs the command, expects success, returns what it printed.
pub fn succeed<S: AsRef<OsStr> + Debug>(arguments: &[S]) -> String {
    let output = overfold(arguments);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{arguments:?}\n{out}\n{err}");
    out.into_owned()
}

/// Runs the command, expects failure without a panic, returns the message.
pub fn fail<S: AsRef<OsStr> + Debug>(arguments: &[S]) -> String {
    let output = overfold(arguments);
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{arguments:?} should fail\n{err}");
    assert!(output.status.code().is_some_and(|code| code != 101) && !err.contains("panicked"), "{arguments:?}\n{err}");
    err
}

/// The flags of a short run on the tiny model and data.
pub fn tiny_flags(dir: &Path) -> Vec<String> {
    let model = tiny_model(dir);
    let (train, dev) = tiny_data(dir);
    let path = |p: &Path| p.to_str().unwrap().to_owned();
    [
        "finetune",
        "--model",
        &path(&model),
        "--train",
        &path(&train),
        "--dev",
        &path(&dev),
        "--text",
        "text",
        "--label",
        "label",
    ]
    .into_iter()
    .chain(["--device", "cpu", "--lr", "1e-3", "--max-length", "16", "--batch", "8", "--cores", "4"])
    .map(str::to_owned)
    .collect()
}

/// Flags with others added; one that is given again replaces the first.
pub fn with(flags: &[String], extra: &[&str]) -> Vec<String> {
    let mut all = flags.to_vec();
    for flag in extra.iter().filter(|flag| flag.starts_with("--")) {
        if let Some(at) = all.iter().position(|other| other == flag) {
            all.drain(at..at + 2);
        }
    }
    all.extend(extra.iter().map(|&flag| flag.to_owned()));
    all
}

/// MiniLM's folder, or a printed reason to skip.
pub fn minilm() -> Option<PathBuf> {
    let folder = match std::env::var_os("OVERFOLD_MINILM") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/overfold/minilm"),
    };
    if folder.join("model.safetensors").is_file() {
        return Some(folder);
    }
    println!("skipped: no MiniLM in {}; set OVERFOLD_MINILM to a folder of all-MiniLM-L6-v2", folder.display());
    None
}

/// A file of the material beside the checkout, or a printed reason to skip.
pub fn material(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not here", path.display());
    None
}

/// A JSON file.
pub fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The entries of a run's log.
pub fn log(out: &Path) -> Vec<Value> {
    let text = fs::read_to_string(out.join("log.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Starts a run and kills it, as `kill -9` does, as soon as it has a checkpoint of at least `step` steps of its main
/// phase.
pub fn kill_after(arguments: &[String], out: &Path, step: u64) {
    let mut command = Command::new(COMMAND);
    let mut child = command.args(arguments).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let state = out.join("checkpoint/state.json");
    loop {
        let reached = fs::read_to_string(&state)
            .ok()
            .and_then(|text| serde_json::from_str::<Value>(&text).ok())
            .is_some_and(|state| state["phase"] != "reference" && state["step"].as_u64().unwrap() >= step);
        if reached {
            child.kill().unwrap();
            child.wait().unwrap();
            // A run that was faster than the kill has nothing left to resume.
            assert_eq!(json(&out.join("run.json"))["status"], "running", "the run was over before it could be killed");
            return;
        }
        assert!(child.try_wait().unwrap().is_none(), "the run was over before it could be killed");
        std::thread::yield_now();
    }
}
