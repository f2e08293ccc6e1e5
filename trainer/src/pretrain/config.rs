//! What a pre-training run is made of: one struct is the command's flags and the `config` of `run.json`.

use std::path::PathBuf;

use clap::Args;
use overfold::model::{BertConfig, ConfigError};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::config::Schedule;
use crate::device::Choice;

/// Everything that decides the course of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Args)]
pub struct PretrainConfig {
    /// Text to learn from, plain or `.gz`: one paragraph a line, blank lines between articles
    #[arg(long, value_name = "FILE", num_args = 1.., required_unless_present = "resume", help_heading = "Data")]
    #[serde(default)]
    pub text: Vec<PathBuf>,
    /// Text for the hold-out loss [default: every 200th window of --text, which is not learned from then]
    #[arg(long, value_name = "FILE", num_args = 1.., help_heading = "Data")]
    #[serde(default)]
    pub holdout: Vec<PathBuf>,
    /// Folder with a tokenizer, as `overfold vocab` writes it
    #[arg(long, value_name = "DIR", required_unless_present = "resume", help_heading = "Data")]
    #[serde(default)]
    pub tokenizer: Option<PathBuf>,
    /// Share of the tokens that are hidden, by whole words
    #[arg(long, default_value_t = 0.15, value_name = "SHARE", help_heading = "Data")]
    pub mask: f64,
    /// Share of the windows in which two texts are to be compared, for tasks with two texts
    #[arg(long, default_value_t = 0.0, value_name = "SHARE", help_heading = "Data")]
    #[serde(default)]
    pub pairs: f64,

    /// Encoder layers
    #[arg(long, default_value_t = 4, value_name = "N", help_heading = "Model")]
    pub layers: usize,
    /// Width of the residual stream
    #[arg(long, default_value_t = 256, value_name = "N", help_heading = "Model")]
    pub hidden: usize,
    /// Attention heads of each layer
    #[arg(long, default_value_t = 4, value_name = "N", help_heading = "Model")]
    pub heads: usize,
    /// Width of the feed-forward layer [default: four times --hidden]
    #[arg(long, value_name = "N", help_heading = "Model")]
    #[serde(default)]
    pub ffn: Option<usize>,
    /// Longest input in tokens, and length of the windows
    #[arg(long, default_value_t = 128, value_name = "TOKENS", help_heading = "Model")]
    pub positions: usize,
    /// Standard deviation of fresh weights [default: BERT's 0.02 at width 768, else as its root: 0.55/√width]
    #[arg(long, value_name = "NUMBER", help_heading = "Model")]
    #[serde(default)]
    pub initializer_range: Option<f64>,
    /// A control: start with random weights only, not with layers that look at neighbours and for the same word
    #[arg(long, help_heading = "Model")]
    #[serde(default)]
    pub plain_start: bool,
    /// Pre-train with BERT's dropout of 0.1, as fine-tuning will; a small model that sees its text a few times needs none
    #[arg(long, help_heading = "Model")]
    #[serde(default)]
    pub dropout: bool,

    /// Peak learning rate
    #[arg(long, default_value_t = 1e-3, value_name = "RATE", help_heading = "Optimization")]
    pub lr: f64,
    /// Decoupled weight decay; not on biases and layer normalizations
    #[arg(long, default_value_t = 0.01, value_name = "RATE", help_heading = "Optimization")]
    pub weight_decay: f64,
    /// Warm-up: a fraction of all steps if below 1, else steps
    #[arg(long, default_value_t = 0.05, value_name = "FRACTION|STEPS", help_heading = "Optimization")]
    pub warmup: f64,
    /// Course of the learning rate
    #[arg(long, value_enum, default_value_t = Schedule::Linear, help_heading = "Optimization")]
    pub schedule: Schedule,
    /// Passes over the text
    #[arg(long, default_value_t = 1.0, value_name = "N", help_heading = "Optimization")]
    pub epochs: f64,
    /// Optimizer steps [default: by --epochs]
    #[arg(long, value_name = "N", help_heading = "Optimization")]
    #[serde(default)]
    pub steps: Option<usize>,
    /// Windows in one forward and backward pass
    #[arg(long, default_value_t = 64, value_name = "N", help_heading = "Optimization")]
    pub batch: usize,
    /// Passes whose gradients make one optimizer step
    #[arg(long, default_value_t = 1, value_name = "N", help_heading = "Optimization")]
    pub accumulate: usize,
    /// Largest global norm of the gradients; 0 for no clipping
    #[arg(long, default_value_t = 1.0, value_name = "NORM", help_heading = "Optimization")]
    pub clip: f64,
    /// Fixes the order of the windows, the masks, dropout and the fresh weights
    #[arg(long, default_value_t = 1, value_name = "N", help_heading = "Optimization")]
    pub seed: u64,

    /// auto, cpu, gpu, gpu:N or software (a software rasterizer, for tests)
    #[arg(long, default_value_t = Default::default(), help_heading = "Run")]
    pub device: Choice,
    /// Write the model in F16: half the size
    #[arg(long, help_heading = "Run")]
    #[serde(default)]
    pub half: bool,
    /// Optimizer steps between hold-out losses
    #[arg(long, default_value_t = 500, value_name = "STEPS", help_heading = "Run")]
    pub evaluate_every: usize,
    /// Hold-out windows, at most
    #[arg(long, default_value_t = 512, value_name = "N", help_heading = "Run")]
    pub holdout_windows: usize,
    /// Optimizer steps between checkpoints for --resume
    #[arg(long, default_value_t = 500, value_name = "STEPS", help_heading = "Run")]
    pub checkpoint_every: usize,
    /// Optimizer steps between lines of log.jsonl
    #[arg(long, default_value_t = 20, value_name = "STEPS", help_heading = "Run")]
    pub log_every: usize,
}

impl PretrainConfig {
    /// The architecture, as `config.json` describes it.
    ///
    /// # Errors
    /// [`ConfigError`] names the key that does not fit.
    pub fn architecture(&self, vocabulary: usize, pad: u32) -> Result<BertConfig, ConfigError> {
        // A product over `hidden` terms keeps its size. At 0.02, narrow models start with attention that is all but uniform,
        // and stay for long near the loss of word frequencies.
        let initializer_range = self.initializer_range.unwrap_or(0.02 * (768.0 / self.hidden as f64).sqrt());
        let name = if self.pairs > 0.0 { "BertForPreTraining" } else { "BertForMaskedLM" };
        BertConfig::from_value(json!({
            "architectures": [name], "model_type": "bert", "vocab_size": vocabulary,
            "hidden_size": self.hidden, "num_hidden_layers": self.layers, "num_attention_heads": self.heads,
            "intermediate_size": self.ffn.unwrap_or(4 * self.hidden), "hidden_act": "gelu",
            "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1,
            "max_position_embeddings": self.positions, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
            "initializer_range": initializer_range, "pad_token_id": pad, "tie_word_embeddings": true,
        }))
    }
}
