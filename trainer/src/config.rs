//! What a fine-tuning run is made of: one struct is the command's flags and the `config` of `run.json`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use overfold::model::names::Group;
use overfold::mpo::{Gauge, Shape};
use serde::{Deserialize, Serialize};

use crate::data::Task;

/// How the weight matrices are trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// All matrices dense: plain fine-tuning.
    Plain,
    /// Static selection with two cores: the SVD baseline.
    Svd,
    /// Matrices chosen before training (OPF eq. 6).
    Static,
    /// Matrices chosen while training (OPF eq. 7).
    Dynamic,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Svd => "svd",
            Self::Static => "static",
            Self::Dynamic => "dynamic",
        })
    }
}

/// How the importance of a matrix is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Importance {
    /// Change of the training loss when the matrix is set to zero (OPF eq. 6).
    Loss,
    /// Σ |∂L/∂W ∘ W|, summed over optimizer steps (OPF eq. 7).
    Taylor,
    /// Mean squared gradient, clipped per matrix: what the authors' released code computes.
    Fisher,
}

/// How the learning rate changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Linear warm-up, then linear decay to zero.
    Linear,
    /// Linear warm-up, then proportional to 1/√step (Vaswani et al., 2017).
    Noam,
    /// Linear warm-up, then constant.
    Constant,
}

/// Whether the pooler of the checkpoint is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum PoolerChoice {
    /// Use it unless it is missing or was never trained.
    Auto,
    /// Use it.
    Keep,
    /// Draw a fresh one.
    Fresh,
}

/// The learning rate of cores, relative to `--lr`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum CoreRate {
    /// Cores step with this multiple of the learning rate.
    Factor(f64),
    /// Each matrix: such that its first step moves W as far, in RMS, as a dense step would.
    Auto,
}

impl FromStr for CoreRate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        match text.parse::<f64>() {
            Ok(factor) if factor.is_finite() && factor > 0.0 => Ok(Self::Factor(factor)),
            _ => Err(format!("`{text}` is neither `auto` nor a positive number")),
        }
    }
}

impl fmt::Display for CoreRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Factor(factor) => factor.fmt(f),
        }
    }
}

impl TryFrom<String> for CoreRate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<CoreRate> for String {
    fn from(rate: CoreRate) -> Self {
        rate.to_string()
    }
}

/// A shape for the matrices of one group, `ffn-up=48,1*3,32 x 24,1*3,16`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GroupShape {
    /// The group.
    pub group: Group,
    /// Its shape.
    pub shape: Shape,
}

impl FromStr for GroupShape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (group, shape) = text
            .split_once('=')
            .ok_or_else(|| format!("`{text}`: expected GROUP=SHAPE, as in `query=24,1,16 x 24,1,16`"))?;
        Ok(Self { group: group.trim().parse()?, shape: shape.parse().map_err(|e| format!("{e}"))? })
    }
}

impl TryFrom<String> for GroupShape {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<GroupShape> for String {
    fn from(this: GroupShape) -> Self {
        format!("{}={}", this.group, this.shape)
    }
}

/// Everything that decides the course of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Args)]
pub struct FinetuneConfig {
    /// Hugging Face folder, or a name on the hub such as `sentence-transformers/all-MiniLM-L6-v2` [default: overfold-small, which
    /// is part of the program]
    #[arg(long, value_name = "DIR|NAME")]
    #[serde(default)]
    pub model: Option<String>,

    /// `reviews`, which is part of the program, or a GLUE task, which needs --data [default: reviews, without --train]
    #[arg(long, conflicts_with_all = ["train", "dev"], help_heading = "Data")]
    #[serde(default)]
    pub task: Option<Task>,
    /// Folder with the task's train.tsv and dev.tsv, or the folder of all GLUE tasks
    #[arg(long, value_name = "DIR", requires = "task", help_heading = "Data")]
    #[serde(default)]
    pub data: Option<PathBuf>,
    /// Own training data: .tsv, .csv, .jsonl
    #[arg(long, value_name = "FILE", requires_all = ["dev", "text", "label"], help_heading = "Data")]
    #[serde(default)]
    pub train: Option<PathBuf>,
    /// Own data to evaluate on
    #[arg(long, value_name = "FILE", requires = "train", help_heading = "Data")]
    #[serde(default)]
    pub dev: Option<PathBuf>,
    /// Column with the text
    #[arg(long, value_name = "COLUMN", requires = "train", help_heading = "Data")]
    #[serde(default)]
    pub text: Option<String>,
    /// Column with the second text of a pair
    #[arg(long, value_name = "COLUMN", requires = "train", help_heading = "Data")]
    #[serde(default)]
    pub pair: Option<String>,
    /// Column with the label
    #[arg(long, value_name = "COLUMN", requires = "train", help_heading = "Data")]
    #[serde(default)]
    pub label: Option<String>,
    /// Labels are numbers to predict, not classes
    #[arg(long, requires = "train", help_heading = "Data")]
    #[serde(default)]
    pub regression: bool,
    /// Longest input in tokens; what is longer is cut
    #[arg(long, default_value_t = 128, value_name = "TOKENS", help_heading = "Data")]
    pub max_length: usize,
    /// Split dev at random into a validation half, which picks the best epoch, and a test half (the paper's protocol)
    #[arg(long, value_name = "SEED", help_heading = "Data")]
    #[serde(default)]
    pub split_dev: Option<u64>,

    /// How matrices are trained
    #[arg(long, value_enum, default_value_t = Method::Dynamic, help_heading = "Over-parameterization")]
    pub method: Method,
    /// Fine-tune plainly too, before, from the same start and with the same flags
    #[arg(long, help_heading = "Over-parameterization")]
    #[serde(default)]
    pub with_plain: bool,
    /// Cores of each chain (the order m); the paper's tables have 11
    #[arg(long, default_value_t = 5, value_name = "M", help_heading = "Over-parameterization")]
    pub cores: usize,
    /// Shape for one group, as in `ffn-up=48,1*3,32 x 24,1*3,16`; may be repeated
    #[arg(long, value_name = "GROUP=SHAPE", help_heading = "Over-parameterization")]
    #[serde(default)]
    pub shape: Vec<GroupShape>,
    /// Where the singular values go: left, right, symmetric, balanced
    #[arg(long, default_value_t = Gauge::Symmetric, help_heading = "Over-parameterization")]
    pub gauge: Gauge,
    /// Matrices to unfold in each group [default: half of the layers]
    #[arg(long, value_name = "N", help_heading = "Over-parameterization")]
    #[serde(default)]
    pub top: Option<usize>,
    /// Dynamic: matrices to unfold in each group and round
    #[arg(long, default_value_t = 1, value_name = "N", help_heading = "Over-parameterization")]
    pub round: usize,
    /// Dynamic: optimizer steps between rounds [default: all rounds within the first third of the run]
    #[arg(long, value_name = "STEPS", help_heading = "Over-parameterization")]
    #[serde(default)]
    pub interval: Option<usize>,
    /// Groups to choose from
    #[arg(long, value_delimiter = ',', value_name = "GROUP,…",
        default_values_t = Group::ALL, help_heading = "Over-parameterization")]
    pub groups: Vec<Group>,
    /// Importance of a matrix [default: loss for static and svd, taylor for dynamic]
    #[arg(long, value_enum, help_heading = "Over-parameterization")]
    #[serde(default)]
    pub importance: Option<Importance>,
    /// Static and svd: the folder of a plainly fine-tuned model of the same task, `model/` of a plain run; importance by
    /// loss is measured on it instead of on a copy that is fine-tuned first
    #[arg(long, value_name = "DIR", help_heading = "Over-parameterization")]
    #[serde(default)]
    pub reference: Option<PathBuf>,
    /// Training examples on which importance by loss is measured
    #[arg(long, default_value_t = 512, value_name = "N", help_heading = "Over-parameterization")]
    pub importance_examples: usize,

    /// Peak learning rate
    #[arg(long, default_value_t = 3e-5, value_name = "RATE", help_heading = "Optimization")]
    pub lr: f64,
    /// Learning rate of cores as a multiple of --lr (the paper has 1), or `auto`: a first step moves W as far as a dense one
    #[arg(long, default_value = "auto", value_name = "FACTOR|auto", help_heading = "Optimization")]
    pub core_lr: CoreRate,
    /// Decoupled weight decay; not on biases and layer normalizations; middle cores decay toward the identity
    #[arg(long, default_value_t = 0.0, value_name = "RATE", help_heading = "Optimization")]
    pub weight_decay: f64,
    /// Warm-up: a fraction of all steps if below 1, else steps
    #[arg(long, default_value_t = 0.1, value_name = "FRACTION|STEPS", help_heading = "Optimization")]
    pub warmup: f64,
    /// Course of the learning rate
    #[arg(long, value_enum, default_value_t = Schedule::Linear, help_heading = "Optimization")]
    pub schedule: Schedule,
    /// Passes over the training data
    #[arg(long, default_value_t = 3.0, value_name = "N", help_heading = "Optimization")]
    pub epochs: f64,
    /// Stop after this many optimizer steps, and shape the schedule for them [default: by --epochs]
    #[arg(long, value_name = "N", help_heading = "Optimization")]
    #[serde(default)]
    pub steps: Option<usize>,
    /// Examples in one forward and backward pass
    #[arg(long, default_value_t = 32, value_name = "N", help_heading = "Optimization")]
    pub batch: usize,
    /// Batches of texts of alike length: less padding, up to twice as fast, a little less random
    #[arg(long, help_heading = "Optimization")]
    #[serde(default)]
    pub group_by_length: bool,
    /// Passes whose gradients make one optimizer step
    #[arg(long, default_value_t = 1, value_name = "N", help_heading = "Optimization")]
    pub accumulate: usize,
    /// Largest global norm of the dense gradients; 0 for no clipping
    #[arg(long, default_value_t = 1.0, value_name = "NORM", help_heading = "Optimization")]
    pub clip: f64,
    /// Whether the checkpoint's pooler is used
    #[arg(long, value_enum, default_value_t = PoolerChoice::Auto, help_heading = "Optimization")]
    pub pooler: PoolerChoice,
    /// Start from random weights instead of the model's, whose architecture and tokenizer are kept: the control that shows what
    /// pre-training is worth
    #[arg(long, help_heading = "Optimization")]
    #[serde(default)]
    pub random_weights: bool,
    /// Fixes the order of the data, dropout and fresh weights
    #[arg(long, default_value_t = 1, value_name = "N", help_heading = "Optimization")]
    pub seed: u64,

    /// auto, cpu, gpu, gpu:N or software (a software rasterizer, for tests)
    #[arg(long, default_value_t = Default::default(), help_heading = "Run")]
    pub device: crate::device::Choice,
    /// Optimizer steps between checkpoints for --resume
    #[arg(long, default_value_t = 200, value_name = "STEPS", help_heading = "Run")]
    pub checkpoint_every: usize,
    /// Optimizer steps between lines of log.jsonl
    #[arg(long, default_value_t = 10, value_name = "STEPS", help_heading = "Run")]
    pub log_every: usize,
}

impl FinetuneConfig {
    /// The importance measure, by default the paper's for the method.
    pub fn importance(&self) -> Importance {
        self.importance.unwrap_or(if self.method == Method::Dynamic { Importance::Taylor } else { Importance::Loss })
    }

    /// Cores of each chain: two for the SVD baseline.
    pub fn order(&self) -> usize {
        if self.method == Method::Svd { 2 } else { self.cores }
    }

    /// The shape for a matrix of a group: `--shape`, else the paper's shape for `--cores`.
    ///
    /// # Errors
    /// [`crate::error::Error::Shape`] if it does not fit the matrix.
    pub fn shape_for(&self, group: Group, rows: usize, cols: usize) -> Result<Shape, crate::error::Error> {
        let given = self.shape.iter().find(|s| s.group == group);
        let flag = match given {
            Some(_) => format!("--shape {group}"),
            None => format!("--cores {}", self.order()),
        };
        let wrap = |source| crate::error::Error::Shape { flag: flag.clone(), source };
        let shape = match given {
            Some(given) => given.shape.clone(),
            None => Shape::paper(rows, cols, self.order()).map_err(wrap)?,
        };
        shape.check(rows, cols).map_err(wrap)?;
        Ok(shape)
    }
}
