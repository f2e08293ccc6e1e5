//! Vocabulary and pre-training from the outside: it learns, goes on where it was, and says what is wrong.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{fail, json, log, succeed, with};

/// Articles that each say one of five facts again and again: a hidden word of it stands elsewhere in the window.
fn text(dir: &Path) -> String {
    let facts = ["red cat sleeps", "blue dog barks", "green bird sings", "black horse runs", "white fish swims"];
    let mut text = String::new();
    for article in 0..40 {
        for _ in 0..12 {
            text.push_str(&format!("The {} near the old house.\n", facts[article % facts.len()]));
        }
        text.push('\n');
    }
    write(dir, "text.txt", text.as_bytes())
}

fn write(dir: &Path, name: &str, bytes: &[u8]) -> String {
    let path = dir.join(name);
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

fn vocabulary(dir: &Path, text: &str) -> String {
    let out = dir.join("vocabulary").to_str().unwrap().to_owned();
    let said = succeed(&["vocab", "--text", text, "--size", "120", "--out", &out]);
    assert!(said.contains("tokens"), "{said}");
    out
}

/// The flags of a short run.
fn flags(dir: &Path) -> Vec<String> {
    let text = text(dir);
    let tokenizer = vocabulary(dir, &text);
    ["pretrain", "--text", &text, "--holdout", &text, "--tokenizer", &tokenizer, "--device", "cpu"]
        .into_iter()
        .chain(["--layers", "2", "--hidden", "48", "--heads", "2", "--positions", "32", "--batch", "8"])
        .chain(["--steps", "450", "--lr", "3e-3", "--evaluate-every", "150", "--log-every", "10"])
        .map(str::to_owned)
        .collect()
}

fn out(dir: &Path, name: &str) -> (PathBuf, String) {
    let out = dir.join(name);
    let text = out.to_str().unwrap().to_owned();
    (out, text)
}

#[test]
fn the_model_learns_what_the_text_tells_and_is_used_by_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, name) = out(dir.path(), "run");
    succeed(&with(&flags(dir.path()), &["--out", &name]));
    let report = json(&folder.join("run.json"));
    assert_eq!(report["status"], "finished");
    let losses: Vec<f64> = report["results"]["evaluations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|evaluation| evaluation["loss"].as_f64().unwrap())
        .collect();
    assert_eq!(losses.len(), 3);
    // Who knows the frame and guesses the fact's three words, of nine tokens, loses ln(5)/3 = 0.54 nats.
    assert!(losses[2] < 0.27, "{losses:?}");
    let model = folder.join("model");
    let model = model.to_str().unwrap();
    let sentence = "The red [MASK] sleeps near the old house. The red cat sleeps near";
    let filled = succeed(&["predict", "--fill-mask", "--device", "cpu", "--json", "--model", model, sentence]);
    let filled: serde_json::Value = serde_json::from_str(&filled).unwrap();
    assert_eq!(filled["masks"][0][0][0], "cat", "{filled}");
    // The folder read anew finds what the model found at its last step.
    let text = dir.path().join("text.txt");
    let text = text.to_str().unwrap();
    let eval = ["eval", "--model", model, "--device", "cpu", "--json", "--holdout", text, "--max-length"];
    let read = |length| serde_json::from_str::<serde_json::Value>(&succeed(&[&eval[..], &[length]].concat())).unwrap();
    let found = &read("128")["found"];
    let loss = found["loss"].as_f64().unwrap();
    assert!((loss - losses[2]).abs() < 1e-5, "{found} {losses:?}");
    assert!((found["perplexity"].as_f64().unwrap().ln() - loss).abs() < 1e-9);
    assert!(read("16")["found"]["windows"].as_u64() > found["windows"].as_u64());
    assert!(fail(&[&eval[..], &["4"]].concat()).contains("at least 8"));
    // Both pictures of its course.
    let svg = dir.path().join("loss.svg");
    for training in [false, true] {
        let curves = ["curves", folder.to_str().unwrap(), "--svg", svg.to_str().unwrap(), "--training"];
        let said = succeed(&curves[..if training { 5 } else { 4 }]);
        assert!(said.contains("M tokens") && (training || said.contains(&format!("{loss:.4}"))), "{said}");
        assert_eq!(fs::read_to_string(&svg).unwrap().contains("what is learned from"), training);
    }
    // The same folder is what fine-tuning starts from.
    let (train, dev) = common::tiny_data(dir.path());
    let (_, tuned) = out(dir.path(), "tuned");
    let data =
        ["--train", train.to_str().unwrap(), "--dev", dev.to_str().unwrap(), "--text", "text", "--label", "label"];
    let run = ["finetune", "--model", model, "--steps", "2", "--max-length", "24", "--device", "cpu", "--out", &tuned];
    succeed(&[&run[..], &data].concat());
}

#[test]
fn an_interrupted_run_goes_on_bit_for_bit() {
    let dir = tempfile::tempdir().unwrap();
    let others = ["--steps", "150", "--checkpoint-every", "20", "--accumulate", "2", "--dropout", "--pairs", "0.25"];
    let flags = with(&flags(dir.path()), &others);
    let (whole, name) = out(dir.path(), "whole");
    succeed(&with(&flags, &["--out", &name]));
    let (broken, name) = out(dir.path(), "broken");
    common::kill_after(&with(&flags, &["--out", &name]), &broken, 40);
    let other = fail(&["pretrain", "--resume", "--out", &name, "--lr", "1e-4"]);
    assert!(other.contains("--lr") && other.contains("0.003"), "{other}");
    succeed(&["pretrain", "--resume", "--out", &name]);
    let model = |out: &Path| fs::read(out.join("model/model.safetensors")).unwrap();
    assert!(model(&whole) == model(&broken), "the resumed model differs");
    let losses = |out: &Path| -> Vec<(u64, String, String)> {
        let words = |entry: &serde_json::Value, key: &str| entry[key].to_string();
        let all = log(out);
        all.iter().map(|e| (e["step"].as_u64().unwrap(), words(e, "loss"), words(e, "pair_loss"))).collect()
    };
    assert_eq!(losses(&whole), losses(&broken));
    assert!(losses(&whole)[0].2.parse::<f64>().unwrap() > 0.0);
    assert_eq!(json(&whole.join("model/config.json"))["architectures"][0], "BertForPreTraining");
    assert!(fail(&["pretrain", "--resume", "--out", &name]).contains("finished"));
}

#[test]
fn bad_input_is_named_and_nothing_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let flags = flags(dir.path());
    let (folder, name) = out(dir.path(), "out");
    let short = write(dir.path(), "short.txt", b"The red cat.\n\nThe blue dog.\n");
    let empty = write(dir.path(), "empty.txt", b"\n\n");
    let latin = write(dir.path(), "latin.txt", b"The red cat.\ncaf\xe9\n");
    let zip = write(dir.path(), "cut.txt.gz", b"\x1f\x8b\x08\x00");
    let no_mask = dir.path().join("no-mask");
    fs::create_dir(&no_mask).unwrap();
    fs::write(no_mask.join("vocab.txt"), "[PAD]\n[UNK]\n[CLS]\n[SEP]\nthe\n").unwrap();
    for (extra, needles) in [
        (&["--text", &short][..], &["short.txt", "no article fills a window", "--positions"][..]),
        (&["--text", &empty], &["empty.txt", "no text"]),
        (&["--text", &latin], &["latin.txt", "line 2", "UTF-8"]),
        (&["--text", &zip], &["cut.txt.gz", "line 1"]),
        (&["--text", "none.txt"], &["none.txt", "no such file"]),
        (&["--holdout", "none.txt"], &["none.txt", "no such file"]),
        (&["--tokenizer", no_mask.to_str().unwrap()], &["vocab.txt", "[MASK]"]),
        (&["--tokenizer", "nowhere"], &["nowhere", "tokenizer.json or vocab.txt"]),
        (&["--heads", "5"], &["num_attention_heads", "divisor of hidden_size = 48"]),
        (&["--batch", "100000"], &["--text", "lower --batch"]),
        (&["--positions", "4"], &["--positions", "at least 8"]),
        (&["--mask", "0.9"], &["--mask", "0.9"]),
        (&["--pairs", "1.5"], &["--pairs", "from 0 to 0.5"]),
        (&["--pairs", "0.05"], &["--pairs", "one at least"]),
        (&["--steps", "0"], &["--steps", "at least 1"]),
        (&["--lr", "nan"], &["--lr"]),
    ] {
        let message = fail(&with(&with(&flags, &["--out", &name]), extra));
        assert!(needles.iter().all(|needle| message.contains(needle)), "{needles:?} not in:\n{message}");
        assert!(!folder.exists(), "{extra:?} left {}", folder.display());
    }
    let mut alone = flags.clone();
    let holdout = alone.iter().position(|flag| flag == "--holdout").unwrap();
    alone.drain(holdout..holdout + 2);
    let message = fail(&with(&alone, &["--out", &name]));
    assert!(message.contains("--holdout") && message.contains("only"), "{message}");
    assert!(!folder.exists());
    let occupied = fail(&with(&flags, &["--out", dir.path().to_str().unwrap()]));
    assert!(occupied.contains("--out") && occupied.contains("exists"), "{occupied}");
    for (arguments, needle) in [
        (&["vocab", "--text", &empty, "--out", &name][..], "no words"),
        (&["vocab", "--text", &latin, "--out", &name], "line 2"),
        (&["vocab", "--text", &short, "--size", "7", "--out", &name], "--size"),
    ] {
        let message = fail(arguments);
        assert!(message.contains(needle), "{message}");
        assert!(!folder.exists());
    }
    let model = common::tiny_model(dir.path());
    let model = model.to_str().unwrap();
    let message = fail(&["predict", "--fill-mask", "--model", model, "--max-length", "16", "the food"]);
    assert!(message.contains("[MASK]"), "{message}");
    for (holdout, needle) in [("none.txt", "none.txt"), (&empty, "no text"), (&short, "no article fills a window")] {
        let message = fail(&["eval", "--model", "overfold-small", "--holdout", holdout]);
        assert!(message.contains(needle), "{message}");
    }
    let message = fail(&["eval", "--model", "overfold-small", "--holdout", &short, "--task", "reviews"]);
    assert!(message.contains("--task"), "{message}");
}
