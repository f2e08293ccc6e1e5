//! The architecture, read from a Hugging Face `config.json` as it is.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

/// Why a `config.json` cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// Not JSON, or a key is missing or of the wrong type.
    #[error("it is not a BERT configuration: {0}")]
    Parse(#[from] serde_json::Error),
    /// A key has a value that this implementation does not support.
    #[error("`{key}` is {found}, expected {expected}")]
    Unsupported {
        /// The key in `config.json`.
        key: &'static str,
        /// Its value.
        found: String,
        /// What would work.
        expected: String,
    },
}

/// Architecture of a BERT encoder with a head. Field names are the keys of `config.json`.
///
/// Keys that this program does not read are kept in [`BertConfig::other`] and written back unchanged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BertConfig {
    /// Always `bert`.
    #[serde(default = "bert")]
    pub model_type: String,
    /// Rows of the word embedding.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Number of encoder layers.
    pub num_hidden_layers: usize,
    /// Heads of each self-attention; divides `hidden_size`.
    pub num_attention_heads: usize,
    /// Width of the feed-forward layer.
    pub intermediate_size: usize,
    /// Activation of the feed-forward layer: `gelu`, by the error function.
    #[serde(default = "gelu")]
    pub hidden_act: String,
    /// Dropout after embeddings and after each output projection.
    #[serde(default = "tenth")]
    pub hidden_dropout_prob: f64,
    /// Dropout of attention weights.
    #[serde(default = "tenth")]
    pub attention_probs_dropout_prob: f64,
    /// Dropout before the classifier; `hidden_dropout_prob` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classifier_dropout: Option<f64>,
    /// Longest input in tokens.
    pub max_position_embeddings: usize,
    /// Number of segments.
    #[serde(default = "two")]
    pub type_vocab_size: usize,
    /// Added to the variance in layer normalization.
    #[serde(default = "epsilon")]
    pub layer_norm_eps: f64,
    /// Standard deviation of fresh weights.
    #[serde(default = "std_dev")]
    pub initializer_range: f64,
    /// Id of `[PAD]`.
    #[serde(default)]
    pub pad_token_id: usize,
    /// Everything else in the file.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

fn bert() -> String {
    "bert".into()
}
fn gelu() -> String {
    "gelu".into()
}
fn tenth() -> f64 {
    0.1
}
fn two() -> usize {
    2
}
fn epsilon() -> f64 {
    1e-12
}
fn std_dev() -> f64 {
    0.02
}

impl BertConfig {
    /// Reads and checks the text of a `config.json`.
    ///
    /// # Errors
    /// [`ConfigError`] names the key, its value and what is supported.
    pub fn from_json(text: &str) -> Result<Self, ConfigError> {
        Self::from_value(serde_json::from_str(text)?)
    }

    /// Checks a parsed `config.json`.
    ///
    /// # Errors
    /// As [`Self::from_json`].
    pub fn from_value(raw: Value) -> Result<Self, ConfigError> {
        // Before the keys of BERT are looked for: another architecture lacks them, and "missing field" would mislead.
        if let Some(kind) = raw.get("model_type")
            && kind != "bert"
        {
            return Err(unsupported("model_type", kind, "\"bert\""));
        }
        let config: Self = serde_json::from_value(raw)?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        for (key, value) in [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("intermediate_size", self.intermediate_size),
            ("max_position_embeddings", self.max_position_embeddings),
            ("type_vocab_size", self.type_vocab_size),
        ] {
            if value == 0 {
                return Err(unsupported(key, &value, "a positive number"));
            }
        }
        if self.hidden_act != "gelu" {
            return Err(unsupported("hidden_act", &self.hidden_act, "gelu"));
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            let expected = format!("a divisor of hidden_size = {}", self.hidden_size);
            return Err(unsupported("num_attention_heads", &self.num_attention_heads, &expected));
        }
        if let Some(kind) = self.other.get("position_embedding_type")
            && kind != "absolute"
        {
            return Err(unsupported("position_embedding_type", kind, "\"absolute\""));
        }
        for (key, value) in [
            ("hidden_dropout_prob", self.hidden_dropout_prob),
            ("attention_probs_dropout_prob", self.attention_probs_dropout_prob),
            ("classifier_dropout", self.classifier_dropout.unwrap_or(0.0)),
        ] {
            if !(0.0..1.0).contains(&value) {
                return Err(unsupported(key, &value, "a probability below 1"));
            }
        }
        Ok(())
    }

    /// Size of one attention head.
    pub fn head_size(&self) -> usize {
        self.hidden_size / self.num_attention_heads
    }

    /// Dropout before the classifier.
    pub fn classifier_dropout(&self) -> f64 {
        self.classifier_dropout.unwrap_or(self.hidden_dropout_prob)
    }

    /// The class names of `id2label`, ordered by id; empty if the file has none.
    pub fn class_names(&self) -> Vec<String> {
        let Some(Value::Object(map)) = self.other.get("id2label") else { return Vec::new() };
        let mut pairs: Vec<(usize, String)> =
            map.iter().filter_map(|(id, name)| Some((id.parse().ok()?, name.as_str()?.to_owned()))).collect();
        pairs.sort();
        pairs.into_iter().map(|(_, name)| name).collect()
    }

    /// Whether the head is a regression (`problem_type`).
    pub fn is_regression(&self) -> bool {
        self.other.get("problem_type").is_some_and(|kind| kind == "regression")
    }

    /// Writes what `BertForSequenceClassification` reads about its head: `architectures`, `id2label`, `label2id`,
    /// `problem_type`. No classes means regression with one output.
    pub fn set_head(&mut self, classes: &[String]) {
        let kind = if classes.is_empty() { "regression" } else { "single_label_classification" };
        let names: Vec<String> = if classes.is_empty() { vec!["LABEL_0".into()] } else { classes.to_vec() };
        let id2label = names.iter().enumerate().map(|(id, n)| (id.to_string(), n.clone().into())).collect();
        let label2id = names.iter().enumerate().map(|(id, n)| (n.clone(), id.into())).collect();
        self.other.insert("architectures".into(), serde_json::json!(["BertForSequenceClassification"]));
        self.other.insert("id2label".into(), Value::Object(id2label));
        self.other.insert("label2id".into(), Value::Object(label2id));
        self.other.insert("problem_type".into(), kind.into());
    }
}

fn unsupported(key: &'static str, found: &impl ToString, expected: &str) -> ConfigError {
    ConfigError::Unsupported { key, found: found.to_string(), expected: expected.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = r#"{"vocab_size":9,"hidden_size":8,"num_hidden_layers":1,"num_attention_heads":2,
        "intermediate_size":16,"max_position_embeddings":4,"torch_dtype":"float32"}"#;

    #[test]
    fn keeps_unknown_keys_and_writes_the_head() {
        let mut config = BertConfig::from_json(MINIMAL).unwrap();
        config.set_head(&["no".into(), "yes".into()]);
        let again = BertConfig::from_json(&serde_json::to_string(&config).unwrap()).unwrap();
        assert_eq!(again.other["torch_dtype"], "float32");
        assert_eq!(again.class_names(), ["no", "yes"]);
        assert!(!again.is_regression());
        assert_eq!(again, config);
    }

    #[test]
    fn names_the_key_that_does_not_fit() {
        for (from, to, needle) in [
            ("\"vocab_size\":9", "\"vocab_size\":0", "vocab_size"),
            ("\"num_attention_heads\":2", "\"num_attention_heads\":3", "divisor of hidden_size = 8"),
            ("{", "{\"model_type\":\"roberta\",", "\"roberta\", expected \"bert\""),
            ("{", "{\"hidden_act\":\"relu\",", "hidden_act"),
            ("{", "{\"position_embedding_type\":\"relative_key\",", "relative_key"),
            ("{", "{\"hidden_dropout_prob\":1.0,", "hidden_dropout_prob"),
            ("\"hidden_size\":8,", "", "hidden_size"),
        ] {
            let error = BertConfig::from_json(&MINIMAL.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(needle), "{error}");
        }
    }
}
