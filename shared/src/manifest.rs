//! What a folder for the browser holds: written by `overfold export-web`, read by the page's engine.
//!
//! Sizes and hashes stand here because a host may compress what it sends: a download's `content-length` then tells
//! neither how much is to come nor whether it came whole.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Name of the file that describes the others.
pub const NAME: &str = "manifest.json";

/// Name of the labelled texts, [`Evaluation`].
pub const EVALUATION: &str = "evaluation.json";

/// Name of what happened in training, [`Training`].
pub const TRAINING: &str = "training.json";

/// Version of the format; a reader refuses any other.
pub const VERSION: u32 = 1;

/// Largest number of bytes of weights in one file: a download that broke off goes on with the file at which it broke.
pub const CHUNK: usize = 4_000_000;

/// Texts with stored logits, for [`Evaluation::logits`].
pub const SELF_TEST: usize = 32;

/// `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`VERSION`].
    pub version: u32,
    /// For people.
    pub name: String,
    /// Terms of the weights, for people.
    pub license: String,
    /// Name of the data set that it was fine-tuned on; empty if not known.
    pub task: String,
    /// The classes, in the order of the logits.
    pub labels: Vec<String>,
    /// Longest input in tokens, `[CLS]` and `[SEP]` included.
    pub max_length: usize,
    /// How it was made.
    pub made: Made,
    /// The models, all of one architecture; the first is the one to show.
    pub models: Vec<Model>,
    /// Every file but this one, by name.
    pub files: BTreeMap<String, File>,
}

/// How an export was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// Version of `overfold`.
    pub overfold: String,
    /// The run's flags, as in its `run.json`; `None` if a model folder was exported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flags: Option<serde_json::Value>,
}

/// One set of weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// What it is.
    pub kind: Kind,
    /// Its files of weights: safetensors, F16, names of Hugging Face. A matrix that does not fit into one file goes on in
    /// the next, under the same name: its rows in the order of the files.
    pub weights: Vec<String>,
    /// Parameters of the model.
    pub parameters: usize,
    /// Parameters that were trained; more than `parameters` where chains were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trained: Option<usize>,
    /// Scores on the task's own validation set, by name of the metric.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scores: BTreeMap<String, f64>,
    /// Number of examples of that set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub examples: Option<usize>,
}

/// What a set of weights is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Fine-tuned over-parameterized, then folded.
    Folded,
    /// Fine-tuned plainly, everything else alike.
    Plain,
    /// Pre-trained, with the fresh head from which both started.
    Before,
    /// A fine-tuned model of which no more is known.
    Given,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its length.
    pub bytes: usize,
    /// Its SHA-256 in hexadecimal digits.
    pub sha256: String,
}

/// `evaluation.json`: labelled texts for the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Name of the data set.
    pub dataset: String,
    /// Texts with the index of their class.
    pub texts: Vec<(String, usize)>,
    /// Logits of the first [`SELF_TEST`] texts by the F16 weights on the CPU, `[text][class]`, one list for each of
    /// [`Manifest::models`].
    pub logits: Vec<Vec<Vec<f32>>>,
}

/// `training.json`: what happened while the folded model was trained.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Names of the matrices.
    pub matrices: Vec<String>,
    /// Rounds of the selection: optimizer step, and indices of the matrices that were unfolded then.
    pub rounds: Vec<(usize, Vec<usize>)>,
    /// Logged optimizer steps.
    pub steps: Vec<usize>,
    /// Training loss at each of `steps`.
    pub loss: Vec<f32>,
    /// Root mean square of ΔW of each matrix in that one step, `[step][matrix]`.
    pub moved: Vec<Vec<f32>>,
}
