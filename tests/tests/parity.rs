//! MiniLM against Python: token ids, hidden states, pooler and gradients that `transformers` 5.23 with torch 2.6 computed,
//! and a zero-shot score that needs all of it to be right.

mod common;

use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use overfold::checkpoint::{ClassifierPolicy, Files, Folder, PoolerPolicy, Weights, load_model};
use overfold::model::{Batch, BertForSequenceClassification, Noise};
use overfold::tokenizer::WordPiece;
use overfold_trainer::data::glue::{self, Task};
use overfold_trainer::encode::EncodedSet;
use overfold_trainer::metrics::spearman;
use overfold_trainer::optimizer::Gradients;
use serde_json::Value;

/// The project's bar: relative difference of two f32 implementations through six layers.
const BAR: f64 = 1e-4;

struct Reference {
    cases: Vec<Value>,
    tensors: Weights,
}

fn reference() -> Option<Reference> {
    let json = common::material("minilm_reference.json")?;
    let tensors = common::material("minilm_reference.safetensors")?;
    let cases = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    Some(Reference { cases, tensors: Weights::open(&tensors).unwrap() })
}

fn model(folder: &Path) -> (BertForSequenceClassification, Folder) {
    let folder = Folder::open(folder).unwrap();
    let weights = folder.weights().unwrap();
    let policies = (ClassifierPolicy::Fresh, PoolerPolicy::Required);
    let (model, report) = load_model(&weights, &folder.config, 2, policies.0, policies.1, &Device::flex()).unwrap();
    assert_eq!((report.loaded, report.fresh.len()), (103, 2));
    assert_eq!(report.ignored, ["embeddings.position_ids"]);
    (model, folder)
}

fn numbers(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|x| x.as_u64().unwrap() as u32).collect()
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

fn assert_close(found: &[f32], reference: &Reference, key: &str) {
    let expected = reference.tensors.values(key).unwrap().unwrap_or_else(|| panic!("no {key}"));
    assert_eq!(found.len(), expected.len(), "{key}");
    let square = |x: f32| f64::from(x) * f64::from(x);
    let error: f64 = found.iter().zip(&expected).map(|(a, b)| square(a - b)).sum();
    let size: f64 = expected.iter().map(|&x| square(x)).sum();
    let relative = (error / size).sqrt();
    assert!(relative < BAR, "{key}: {relative:e}");
}

/// Mean over the tokens: `[batch, seq, hidden]` → `[batch, hidden]`.
fn mean_pool(hidden: Tensor<3>, batch: &Batch) -> Tensor<2> {
    let mask = batch.mask.clone().unsqueeze_dim::<3>(2);
    let sum = (hidden * mask.clone()).sum_dim(1).squeeze_dim::<2>(1);
    sum / mask.sum_dim(1).squeeze_dim::<2>(1)
}

#[test]
fn token_ids_are_those_of_transformers() {
    let (Some(reference), Some(folder)) = (reference(), common::minilm()) else { return };
    let vocabulary_only = tempfile::tempdir().unwrap();
    std::fs::copy(folder.join("vocab.txt"), vocabulary_only.path().join("vocab.txt")).unwrap();
    for source in [folder.as_path(), vocabulary_only.path()] {
        let tokenizer = WordPiece::open(&Files::folder(source), 30522, 128).unwrap();
        for case in reference.cases.iter().filter(|case| case.get("a").is_some()) {
            let encoded = tokenizer.encode(case["a"].as_str().unwrap(), case["b"].as_str()).unwrap();
            assert_eq!(encoded.ids, numbers(&case["ids"]), "{}", case["a"]);
            assert_eq!(encoded.type_ids, numbers(&case["type_ids"]));
            assert_eq!(encoded.truncated, encoded.ids.len() == 128);
        }
    }
}

#[test]
fn hidden_states_and_pooler_are_those_of_transformers() {
    let (Some(reference), Some(folder)) = (reference(), common::minilm()) else { return };
    let (model, _) = model(&folder);
    let device = Device::flex();
    for (index, case) in reference.cases.iter().enumerate() {
        if case.get("batch").is_some() {
            // Rows padded to one length: padding must not leak into the others.
            let rows: Vec<Vec<u32>> = case["ids"].as_array().unwrap().iter().map(numbers).collect();
            let masks: Vec<Vec<u32>> = case["mask"].as_array().unwrap().iter().map(numbers).collect();
            let lengths: Vec<usize> = masks.iter().map(|m| m.iter().sum::<u32>() as usize).collect();
            let zeros = vec![0; rows[0].len()];
            let sequences: Vec<(&[u32], &[u32])> =
                rows.iter().zip(&lengths).map(|(ids, &n)| (&ids[..n], &zeros[..n])).collect();
            let hidden = model.bert.hidden_states(&Batch::new(&sequences, 0, 1, &device), &Noise::off());
            let expected = reference.tensors.values("batch.last_hidden").unwrap().unwrap();
            let seq = rows[0].len();
            let found = values(hidden);
            for (row, &length) in lengths.iter().enumerate() {
                let range = row * seq * 384..(row * seq + length) * 384;
                let worst =
                    found[range.clone()].iter().zip(&expected[range]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(worst < 1e-4, "row {row}: {worst:e}");
            }
            continue;
        }
        let (ids, types) = (numbers(&case["ids"]), numbers(&case["type_ids"]));
        let batch = Batch::new(&[(&ids, &types)], 0, 1, &device);
        let hidden = model.bert.hidden_states(&batch, &Noise::off());
        assert_close(&values(hidden.clone()), &reference, &format!("{index}.last_hidden"));
        assert_close(&values(mean_pool(hidden.clone(), &batch)), &reference, &format!("{index}.mean"));
        assert_close(&values(model.bert.pooler.forward(hidden)), &reference, &format!("{index}.pooler"));
    }
}

#[test]
fn gradients_are_those_of_torch() {
    let (Some(reference), Some(folder)) = (reference(), common::minilm()) else { return };
    let model = model(&folder).0.train();
    let (ids, types) = (numbers(&reference.cases[1]["ids"]), numbers(&reference.cases[1]["type_ids"]));
    let batch = Batch::new(&[(&ids, &types)], 0, 1, &Device::flex());
    let hidden = model.bert.hidden_states(&batch, &Noise::off());
    let loss = mean_pool(hidden, &batch).powi_scalar(2).sum();
    let mut gradients = Gradients::default();
    gradients.accumulate(&model, loss.backward());
    let keys: Vec<&str> = reference.tensors.names().filter(|name| name.starts_with("grad.")).collect();
    assert_eq!(keys.len(), 4);
    for key in keys {
        let name = key.replacen("grad.", "bert.", 1);
        assert_close(&values(gradients.take(&name).unwrap()), &reference, key);
    }
}

#[test]
fn zero_shot_similarity_scores_as_published() {
    let (Some(glue), Some(folder)) = (common::material("glue"), common::minilm()) else { return };
    let (model, folder) = model(&folder);
    let tokenizer = folder.tokenizer(128).unwrap();
    let dev = glue::load(Task::Stsb, &glue).unwrap().dev;
    let embed = |text: fn(&overfold_trainer::data::Example) -> &str| {
        let mut examples = dev.clone();
        for example in &mut examples {
            example.text = text(example).to_owned();
            example.pair = None;
        }
        let set = EncodedSet::new(&examples, &tokenizer).unwrap();
        let mut all = vec![Vec::new(); set.len()];
        for indices in set.batches_by_length(64) {
            let batch = set.batch(&indices, 1, &Device::flex());
            let pooled = mean_pool(model.bert.hidden_states(&batch, &Noise::off()), &batch);
            for (&index, row) in indices.iter().zip(values(pooled).chunks(384)) {
                all[index] = row.to_vec();
            }
        }
        all
    };
    let (first, second) = (embed(|e| &e.text), embed(|e| e.pair.as_deref().unwrap()));
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(x * y)).sum::<f64>();
    let cosines: Vec<f64> =
        first.iter().zip(&second).map(|(a, b)| dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()).collect();
    let gold: Vec<f64> = dev
        .iter()
        .map(|example| match example.label {
            overfold_trainer::data::Label::Score(score) => f64::from(score),
            overfold_trainer::data::Label::Class(_) => panic!("STS-B has scores"),
        })
        .collect();
    let score = spearman(&cosines, &gold);
    // 0.8672 by sentence-transformers; the last digit is theirs to round.
    assert!((score - 0.8672).abs() < 2e-4, "{score}");
}
