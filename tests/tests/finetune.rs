//! The main command from the outside: results, resume, what it writes, and that every core of every chain learns.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::{json, log};
use overfold::checkpoint::Weights;
use serde_json::Value;

fn run(dir: &Path, out: &str, extra: &[&str]) -> PathBuf {
    let out = dir.join(out);
    let flags = common::with(&common::tiny_flags(dir), &["--out", out.to_str().unwrap()]);
    common::succeed(&common::with(&flags, extra));
    out
}

fn tensors(path: &Path) -> BTreeMap<String, Vec<f32>> {
    let weights = Weights::open(path).unwrap();
    weights.names().map(|name| (name.to_owned(), weights.values(name).unwrap().unwrap())).collect()
}

#[test]
fn every_method_learns_and_folds_to_the_same_size() {
    let dir = tempfile::tempdir().unwrap();
    for method in ["plain", "svd", "static", "dynamic"] {
        let out = run(dir.path(), method, &["--method", method, "--epochs", "6"]);
        let report = json(&out.join("run.json"));
        let results = &report["results"];
        assert_eq!(report["status"], "finished");
        // A single word decides the label: a model that learns at all gets most of them.
        let accuracy = results["best"]["scores"]["values"][0][1].as_f64().unwrap();
        assert!(accuracy > 0.8, "{method}: {accuracy}");
        let checks = &results["verification"];
        let [before, trained, after] = [0, 1, 2].map(|k| checks["parameters"][k].as_u64().unwrap());
        assert_eq!(before, after, "{method}");
        assert_eq!(trained > before, method != "plain", "{method}: {trained} {before}");
        assert!(checks["folder"].as_f64().unwrap() < 1e-5);
        assert_eq!(checks["chains"].as_f64().is_some_and(|x| x < 1e-4), method != "plain");
        // One of two layers in each of six groups.
        let chosen: usize =
            results["rounds"].as_array().unwrap().iter().map(|r| r["chosen"].as_array().unwrap().len()).sum();
        assert_eq!(chosen, if method == "plain" { 0 } else { 6 });
        let config = json(&out.join("model/config.json"));
        assert_eq!(config["architectures"][0], "BertForSequenceClassification");
        assert_eq!(config["id2label"]["1"], "pos");
    }
}

#[test]
fn every_core_of_every_chain_moves() {
    let dir = tempfile::tempdir().unwrap();
    // The released code of the paper left its cores out of the optimizer; this is the test that it would fail.
    let out = run(dir.path(), "moves", &["--method", "static", "--importance", "fisher", "--steps", "6", "--top", "2"]);
    let saved = tensors(&out.join("checkpoint/tensors.safetensors"));
    let moments: Vec<_> =
        saved.keys().filter(|key| key.starts_with("first/") && key.ends_with(char::is_numeric)).collect();
    let cores: Vec<_> = saved.keys().filter(|key| key.starts_with("core/")).collect();
    // 2 layers × 6 groups × 4 cores.
    assert_eq!((cores.len(), moments.len()), (48, 48));
    let initial = tensors(&dir.path().join("tiny/model.safetensors"));
    for core in cores {
        let (name, k) = core.strip_prefix("core/").unwrap().rsplit_once('/').unwrap();
        let values = &saved[core];
        if k == "1" || k == "2" {
            // Stored as I + Δ with Δ = 0 at the start.
            assert!(values.iter().any(|x| x.abs() > 1e-6), "{core} did not move");
        } else {
            let moved = saved[&format!("first/{name}/{k}")].iter().any(|m| m.abs() > 0.0);
            assert!(moved, "{core} got no gradient");
        }
        assert_ne!(initial[name], saved[&format!("model/{name}")], "{name} did not move");
    }
}

#[test]
fn dynamic_rounds_are_continuous_and_logged() {
    let dir = tempfile::tempdir().unwrap();
    let flags = ["--method", "dynamic", "--top", "2", "--interval", "3", "--epochs", "3", "--log-every", "1"];
    let out = run(dir.path(), "dynamic", &flags);
    let entries = log(&out);
    let rounds: Vec<&Value> = entries.iter().filter(|e| e["event"] == "selection").collect();
    assert_eq!(rounds.iter().map(|r| r["step"].as_u64().unwrap()).collect::<Vec<_>>(), [3, 6]);
    for round in &rounds {
        assert_eq!(round["chosen"].as_array().unwrap().len(), 6);
        assert!(round["scores"].as_object().unwrap().values().all(|score| score.as_f64().unwrap() > 0.0));
    }
    // Every matrix moves at every step, dense or unfolded.
    let steps: Vec<&Value> = entries.iter().filter(|e| e["event"] == "step").collect();
    for step in &steps {
        let moved = step["moved_rms"].as_object().unwrap();
        assert_eq!(moved.len(), 12);
        assert!(moved.values().all(|rms| rms.as_f64().unwrap() > 0.0));
    }
}

#[test]
fn an_interrupted_run_goes_on_bit_for_bit() {
    let dir = tempfile::tempdir().unwrap();
    for method in ["dynamic", "static"] {
        let flags = [
            "--method",
            method,
            "--epochs",
            "2",
            "--interval",
            "2",
            "--accumulate",
            "2",
            "--checkpoint-every",
            "2",
            "--importance",
            "taylor",
        ];
        let whole = run(dir.path(), &format!("whole-{method}"), &flags);
        // A copy of the run as it was when it was killed after its checkpoint at step 4 of 6 of the main phase: made by
        // a run of the same schedule whose checkpoint is put back.
        let broken = dir.path().join(format!("broken-{method}"));
        let flags = common::with(&common::tiny_flags(dir.path()), &flags);
        common::kill_after(&common::with(&flags, &["--out", broken.to_str().unwrap()]), &broken, 4);
        common::succeed(&["finetune", "--resume", "--out", broken.to_str().unwrap()]);
        let model = |out: &Path| fs::read(out.join("model/model.safetensors")).unwrap();
        assert!(model(&whole) == model(&broken), "{method}: the resumed model differs");
        assert_eq!(log(&whole), log(&broken), "{method}");
    }
}

#[test]
fn a_reference_takes_the_place_of_the_plain_copy() {
    let dir = tempfile::tempdir().unwrap();
    let plain = run(dir.path(), "plain", &["--method", "plain", "--epochs", "2"]);
    let reference = plain.join("model");
    let flags = ["--method", "static", "--epochs", "2", "--reference", reference.to_str().unwrap()];
    let out = run(dir.path(), "static", &flags);
    let entries = log(&out);
    assert!(entries.iter().all(|entry| entry["phase"] == "main"), "a copy was trained all the same");
    let rounds: Vec<&Value> = entries.iter().filter(|e| e["event"] == "selection").collect();
    assert_eq!(rounds.len(), 1);
    let scores = rounds[0]["scores"].as_object().unwrap();
    assert!(scores.len() == 12 && scores.values().all(|score| score.as_f64().unwrap() > 0.0));
}

#[test]
fn two_cores_and_one_are_svd_and_plain() {
    let dir = tempfile::tempdir().unwrap();
    let common = ["--epochs", "1", "--importance", "fisher", "--core-lr", "1"];
    let losses = |out: &Path| -> Vec<f64> {
        log(out).iter().filter(|e| e["event"] == "evaluation").map(|e| e["loss"].as_f64().unwrap()).collect()
    };
    let with = |name: &str, extra: &[&str]| losses(&run(dir.path(), name, &[&common[..], extra].concat()));
    // A chain of a single core is the matrix itself: the same AdamW, to the rounding of the permutation (none).
    assert_eq!(with("plain", &["--method", "plain"]), with("one", &["--method", "static", "--cores", "1"]));
    assert_eq!(with("svd", &["--method", "svd"]), with("two", &["--method", "static", "--cores", "2"]));
}

#[test]
fn auto_core_rate_moves_matrices_as_far_as_dense_steps_do() {
    let dir = tempfile::tempdir().unwrap();
    let first_move = |name: &str, extra: &[&str]| -> BTreeMap<String, f64> {
        let flags = ["--steps", "1", "--log-every", "1", "--importance", "fisher", "--top", "2", "--warmup", "0"];
        let out = run(dir.path(), name, &[&flags[..], extra].concat());
        let entries = log(&out);
        let step = entries.iter().find(|e| e["event"] == "step").unwrap();
        step["moved_rms"].as_object().unwrap().iter().map(|(k, v)| (k.clone(), v.as_f64().unwrap())).collect()
    };
    let plain = first_move("plain", &["--method", "plain"]);
    let matched = first_move("auto", &["--method", "static", "--cores", "6", "--core-lr", "auto"]);
    let same_rate = first_move("same", &["--method", "static", "--cores", "6", "--core-lr", "1"]);
    for (name, dense) in &plain {
        // The chain's step is linear in the rate up to terms of second order.
        assert!((matched[name] / dense - 1.0).abs() < 0.05, "{name}: {} {dense}", matched[name]);
        assert!(same_rate[name] / dense > 1.3, "{name}: {} {dense}", same_rate[name]);
    }
}

#[test]
fn the_model_is_used_by_the_other_commands() {
    let dir = tempfile::tempdir().unwrap();
    let out = run(dir.path(), "run", &["--epochs", "6", "--split-dev", "1"]);
    let model = out.join("model");
    let model = model.to_str().unwrap();
    let predicted = common::succeed(&[
        "predict",
        "--model",
        model,
        "--device",
        "cpu",
        "--max-length",
        "16",
        "--json",
        "the food was great",
        "the room is very bad",
    ]);
    let lines: Vec<Value> = predicted.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines[0]["label"].as_str(), lines[1]["label"].as_str()), (Some("pos"), Some("neg")));
    let sum: f64 = lines[0]["probabilities"].as_object().unwrap().values().map(|p| p.as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-6);
    let dev = dir.path().join("dev.tsv");
    let scores = common::succeed(&[
        "eval",
        "--model",
        model,
        "--dev",
        dev.to_str().unwrap(),
        "--text",
        "text",
        "--label",
        "label",
        "--max-length",
        "16",
        "--device",
        "cpu",
        "--json",
    ]);
    let scores: Value = serde_json::from_str(&scores).unwrap();
    assert_eq!(scores["examples"], 24);
    let folded = dir.path().join("folded");
    common::succeed(&["fold", "--run", out.to_str().unwrap(), "--out", folded.to_str().unwrap()]);
    assert!(
        fs::read(folded.join("model.safetensors")).unwrap() == fs::read(out.join("model/model.safetensors")).unwrap()
    );
    let table = common::succeed(&["inspect", "--model", model]);
    assert!(table.contains("12 matrices hold"), "{table}");
    let svg = dir.path().join("spectrum.svg");
    let one = common::succeed(&[
        "inspect",
        "--model",
        model,
        "--matrix",
        "encoder.layer.0.intermediate.dense.weight",
        "--svg",
        svg.to_str().unwrap(),
        "--json",
    ]);
    let one: Value = serde_json::from_str(&one).unwrap();
    assert!(one["relative_error"].as_f64().unwrap() < 1e-12);
    assert!(fs::read_to_string(&svg).unwrap().contains("</svg>"));
    common::succeed(&["doctor", "--device", "cpu"]);
}

#[test]
fn a_plain_twin_stands_beside_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("both");
    let flags = common::with(&common::tiny_flags(dir.path()), &["--epochs", "2", "--group-by-length", "--out"]);
    let said = common::succeed(&[&flags[..], &[out.to_str().unwrap().into(), "--with-plain".into()]].concat());
    let rows = ["before fine-tuning", "plain, epoch", "dynamic, epoch", "folded"];
    assert!(rows.iter().all(|row| said.contains(row)), "{said}");
    let (twin, run) = (json(&out.join("plain/run.json")), json(&out.join("run.json")));
    assert_eq!([&twin["status"], &run["status"]], ["finished", "finished"]);
    assert_eq!((&twin["config"]["method"], &twin["config"]["lr"]), (&"plain".into(), &run["config"]["lr"]));
    // The twin is what the same flags give by themselves.
    let alone = dir.path().join("alone");
    common::succeed(&[&flags[..], &[alone.to_str().unwrap().into(), "--method".into(), "plain".into()]].concat());
    let model = |run: &Path| fs::read(run.join("model/model.safetensors")).unwrap();
    assert!(model(&alone) == model(&out.join("plain")));
}

#[test]
fn without_data_and_folder_it_is_reviews_in_a_folder_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let model = common::tiny_model(dir.path());
    for folder in ["runs/reviews-plain", "runs/reviews-plain-2"] {
        let output = std::process::Command::new(common::COMMAND)
            .args(["finetune", "--method", "plain", "--steps", "1", "--max-length", "24", "--device", "cpu", "--model"])
            .arg(&model)
            .current_dir(dir.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let report = json(&dir.path().join(folder).join("run.json"));
        assert_eq!((&report["dataset"], &report["examples"]), (&"reviews".into(), &serde_json::json!([1200, 400, 0])));
    }
}
