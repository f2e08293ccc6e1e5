//! What is to be predicted: classes found in the data, or numbers.

use std::collections::BTreeSet;

use overfold::checkpoint::Weights;
use overfold::model::BertConfig;
use serde::{Deserialize, Serialize};

/// What is to be predicted for one example.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Label {
    /// Index into [`Labels::Classes`].
    Class(usize),
    /// A number.
    Score(f32),
}

/// The kind of labels of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Labels {
    /// Names of the classes by index.
    Classes(Vec<String>),
    /// Numbers.
    Regression,
}

impl Labels {
    /// Logits that a model needs.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Classes(classes) => classes.len(),
            Self::Regression => 1,
        }
    }

    /// What a fine-tuned model tells. Its file knows how many outputs there are; `id2label` may be missing.
    pub fn of_model(config: &BertConfig, weights: &Weights) -> Self {
        let outputs = weights.shape("classifier.weight").and_then(|shape| shape.first().copied()).unwrap_or(1);
        if config.is_regression() || outputs == 1 {
            return Self::Regression;
        }
        let names = config.class_names();
        let fallback = || (0..outputs).map(|class| format!("LABEL_{class}")).collect();
        Self::Classes(if names.len() == outputs { names } else { fallback() })
    }
}

/// The different labels: by value if all are integers (2 before 10), else in the order of their characters.
pub(super) fn distinct<'a>(labels: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut classes: Vec<String> = labels.collect::<BTreeSet<_>>().into_iter().map(str::to_owned).collect();
    if classes.iter().all(|class| class.parse::<i64>().is_ok()) {
        // Stable: `01` and `1` are different labels of equal value.
        classes.sort_by_key(|class| class.parse::<i64>().unwrap_or_default());
    }
    classes
}

/// A finite number; what `f32` cannot hold is none.
pub(super) fn finite(text: &str) -> Option<f32> {
    text.parse::<f32>().ok().filter(|score| score.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_an_order_that_does_not_depend_on_the_rows() {
        let order = |labels: &[&str]| distinct(labels.iter().copied());
        assert_eq!(order(&["10", "2", "10", "-1"]), ["-1", "2", "10"]);
        assert_eq!(order(&["10", "2", "b"]), ["10", "2", "b"]);
        assert_eq!(order(&["true", "false", "true"]), ["false", "true"]);
        assert_eq!(order(&["1", "01", "0"]), ["0", "01", "1"]);
    }

    #[test]
    fn numbers_are_finite() {
        assert_eq!(finite("-2.5e1"), Some(-25.0));
        for text in ["", "x", "nan", "inf", "1e39"] {
            assert_eq!(finite(text), None, "{text}");
        }
    }

    #[test]
    fn kinds_of_labels_survive_json() {
        for labels in [Labels::Classes(vec!["a".into(), "b".into()]), Labels::Regression] {
            let text = serde_json::to_string(&labels).unwrap();
            assert_eq!(serde_json::from_str::<Labels>(&text).unwrap(), labels);
        }
        assert_eq!(Labels::Regression.outputs(), 1);
    }
}
