//! `overfold export-web`: the files are what the manifest says, and the stored logits are what the weights compute.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::json;
use overfold::checkpoint::{Weights, write_safetensors};
use overfold::manifest::{Evaluation, Kind, Manifest, SELF_TEST, Training};
use sha2::{Digest, Sha256};

/// A run with its plain twin, and its export.
fn export(dir: &Path) -> Manifest {
    let out = dir.join("run");
    let flags = common::with(&common::tiny_flags(dir), &["--out", out.to_str().unwrap(), "--epochs", "4"]);
    common::succeed(&[flags, vec!["--with-plain".into()]].concat());
    let (web, dev) = (dir.join("web"), dir.join("dev.tsv"));
    let arguments = ["export-web", "--run", out.to_str().unwrap(), "--out", web.to_str().unwrap()];
    let texts = ["--dev", dev.to_str().unwrap(), "--text", "text", "--label", "label", "--max-length", "16"];
    common::succeed(&[&arguments[..], &texts[..]].concat());
    serde_json::from_str(&fs::read_to_string(dir.join("web/manifest.json")).unwrap()).unwrap()
}

#[test]
fn an_export_is_what_its_manifest_says() {
    let dir = tempfile::tempdir().unwrap();
    let manifest = export(dir.path());
    let web = dir.path().join("web");
    let listed = fs::read_dir(&web).unwrap().count();
    assert_eq!(manifest.files.len() + 1, listed, "every file but the manifest itself is listed");
    for (name, file) in &manifest.files {
        let bytes = fs::read(web.join(name)).unwrap();
        let sha256: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((file.bytes, &file.sha256), (bytes.len(), &sha256), "{name}");
    }
    let kinds: Vec<Kind> = manifest.models.iter().map(|model| model.kind).collect();
    assert_eq!(kinds, [Kind::Folded, Kind::Plain, Kind::Before]);
    let [folded, plain, before] = &manifest.models[..] else { unreachable!() };
    assert!(folded.parameters == plain.parameters && folded.trained > plain.trained && before.trained.is_none());
    let results = &json(&dir.path().join("run/run.json"))["results"];
    assert_eq!(folded.scores["accuracy"], results["best"]["scores"]["values"][0][1].as_f64().unwrap());
    // Whoever opens the page learns nothing about the machine on which the model was trained.
    let text = fs::read_to_string(web.join("manifest.json")).unwrap();
    assert!(!text.contains(dir.path().to_str().unwrap()), "{text}");

    let training: Training = serde_json::from_str(&fs::read_to_string(web.join("training.json")).unwrap()).unwrap();
    assert_eq!(training.matrices.len(), 6 * common::LAYERS);
    assert_eq!(training.rounds.iter().map(|(_, matrices)| matrices.len()).sum::<usize>(), 6);
    assert!(!training.steps.is_empty() && training.moved.iter().all(|moved| moved.iter().all(|&x| x > 0.0)));
}

#[test]
fn stored_logits_are_those_of_the_exported_weights() {
    let dir = tempfile::tempdir().unwrap();
    let manifest = export(dir.path());
    let web = dir.path().join("web");
    let evaluation: Evaluation =
        serde_json::from_str(&fs::read_to_string(web.join("evaluation.json")).unwrap()).unwrap();
    let texts: Vec<&str> = evaluation.texts.iter().map(|(text, _)| text.as_str()).take(SELF_TEST).collect();
    for (model, stored) in manifest.models.iter().zip(&evaluation.logits) {
        // The exported files, put together to a folder again, and asked by the command.
        let folder = dir.path().join("again");
        fs::create_dir_all(&folder).unwrap();
        let mut tensors = Vec::new();
        for name in &model.weights {
            let weights = Weights::open(&web.join(name)).unwrap();
            for name in weights.names() {
                let shape = weights.shape(name).unwrap().to_vec();
                let values = weights.values(name).unwrap().unwrap();
                tensors.push((name.to_owned(), burn::tensor::TensorData::new(values, shape)));
            }
        }
        write_safetensors(&folder.join("model.safetensors"), &tensors, Default::default()).unwrap();
        for name in ["config.json", "tokenizer.json"] {
            fs::copy(web.join(name), folder.join(name)).unwrap();
        }
        let mut arguments = vec!["predict", "--model", folder.to_str().unwrap(), "--json", "--device", "cpu"];
        arguments.extend(["--max-length", "16"]);
        arguments.extend(&texts);
        let printed = common::succeed(&arguments);
        let lines: Vec<serde_json::Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((lines.len(), stored.len()), (texts.len(), texts.len()));
        for (line, stored) in lines.iter().zip(stored) {
            let logits: Vec<f32> = serde_json::from_value(line["logits"].clone()).unwrap();
            // The same numbers by the same kernels; batches of other lengths may sum in another order.
            assert!(logits.iter().zip(stored).all(|(a, b)| (a - b).abs() < 1e-5), "{logits:?} {stored:?}");
        }
    }
    let answers: BTreeMap<usize, usize> = evaluation.texts.iter().fold(BTreeMap::new(), |mut counts, (_, class)| {
        *counts.entry(*class).or_default() += 1;
        counts
    });
    assert_eq!(answers.len(), 2, "texts of both classes");
}

#[test]
fn what_cannot_be_exported_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let message = common::fail(&["export-web", "--model", "overfold-small", "--out", &path("web")]);
    assert!(message.contains("classifier"), "{message}");
    let message = common::fail(&["export-web", "--run", &path("nothing"), "--out", &path("web")]);
    assert!(message.contains("run.json") && message.contains("--out"), "{message}");
    let message = common::fail(&["export-web", "--out", &path("web")]);
    assert!(message.contains("--run"), "{message}");
    fs::create_dir(path("there")).unwrap();
    let message = common::fail(&["export-web", "--run", &path("nothing"), "--out", &path("there")]);
    assert!(message.contains("--out") && message.contains("exists"), "{message}");
    assert!(!dir.path().join("web").exists());
}
