//! What `reviews` asks for is not in single words: a fine-tuned language model does clearly better than counting them.

mod common;

use std::collections::{HashMap, HashSet};

use common::{json, minilm, succeed};
use overfold_trainer::data::{Example, Label, Task};

/// Words of texts, with whether they are positive.
fn words(examples: &[Example]) -> Vec<(Vec<String>, bool)> {
    let split = |text: &str| {
        let text = text.to_lowercase();
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    };
    examples.iter().map(|example| (split(&example.text), example.label == Label::Class(1))).collect()
}

/// Accuracy on the dev set of naive Bayes on single words, add-one smoothed.
fn naive_bayes() -> f64 {
    let reviews = Task::Reviews.load(None).unwrap();
    let mut counts: [HashMap<String, f64>; 2] = Default::default();
    for (words, positive) in words(&reviews.train) {
        for word in words {
            *counts[usize::from(positive)].entry(word).or_default() += 1.0;
        }
    }
    let vocabulary = counts.iter().flat_map(HashMap::keys).collect::<HashSet<_>>().len() as f64;
    let score = |words: &[String], class: &HashMap<String, f64>| -> f64 {
        let all = class.values().sum::<f64>() + vocabulary;
        words.iter().map(|word| ((class.get(word).unwrap_or(&0.0) + 1.0) / all).ln()).sum()
    };
    let dev = words(&reviews.dev);
    let right =
        dev.iter().filter(|(words, positive)| (score(words, &counts[1]) > score(words, &counts[0])) == *positive);
    right.count() as f64 / dev.len() as f64
}

#[test]
fn a_bag_of_words_stays_below_a_fine_tuned_model() {
    let words = naive_bayes();
    assert!((0.65..0.75).contains(&words), "the data card says 72 %: {words}");
    let Some(model) = minilm() else { return };
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let (model, folder) = (model.to_str().unwrap(), out.to_str().unwrap());
    let flags = ["--method", "plain", "--lr", "1e-4", "--epochs", "3", "--group-by-length", "--device", "cpu"];
    succeed(&[&["finetune", "--task", "reviews", "--model", model, "--out", folder][..], &flags].concat());
    let scores = &json(&out.join("run.json"))["results"]["last"]["scores"]["values"];
    assert_eq!(scores[0][0], "accuracy");
    let found = scores[0][1].as_f64().unwrap();
    // 0.83 when it was written; the standard error of the difference is 0.025.
    assert!(found > words + 0.05, "{found} against {words}");
}
