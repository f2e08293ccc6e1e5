//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::FinetuneConfig;
use crate::data::Task;
use crate::device::Choice;
use crate::pretrain::PretrainConfig;

/// Over-parameterized fine-tuning of small language models (OPF): unfold, fine-tune, fold.
#[derive(Debug, Parser)]
#[command(name = "overfold", version, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Fine-tune a model over-parameterized and fold it back
    Finetune(Box<FinetuneArgs>),
    /// Score a model on a labelled data set
    Eval(EvalArgs),
    /// Label texts with a fine-tuned model
    Predict(PredictArgs),
    /// Write the Hugging Face folder of an interrupted run's last checkpoint
    Fold(FoldArgs),
    /// Show a checkpoint's matrices, or one matrix as a chain
    Inspect(InspectArgs),
    /// Check that the device computes what the CPU computes
    Doctor(DoctorArgs),
    /// Draw how the loss of runs fell
    Curves(CurvesArgs),
    /// Write a fine-tuned model as the page loads it
    ExportWeb(ExportWebArgs),
    /// Learn a WordPiece vocabulary from text
    Vocab(VocabArgs),
    /// Pre-train a model on text, as a masked language model
    Pretrain(Box<PretrainArgs>),
}

/// `overfold finetune`.
#[derive(Debug, Args)]
pub struct FinetuneArgs {
    /// What is run.
    #[command(flatten)]
    pub config: FinetuneConfig,
    /// Folder for the result; must not exist yet [default: runs/TASK-METHOD]
    #[arg(long, value_name = "DIR", help_heading = "Run")]
    pub out: Option<PathBuf>,
    /// Go on with the interrupted run in --out; its saved flags hold
    #[arg(long, help_heading = "Run")]
    pub resume: bool,
}

/// `overfold eval`.
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// Fine-tuned model, or a pre-trained one with --holdout: a folder or a name on the hub
    #[arg(long, value_name = "DIR|NAME")]
    pub model: String,
    /// Task whose dev set is scored: `reviews`, or one of GLUE
    #[arg(long, required_unless_present_any = ["dev", "holdout"])]
    pub task: Option<Task>,
    /// Folder of the task, or of all GLUE tasks
    #[arg(long, value_name = "DIR", requires = "task")]
    pub data: Option<PathBuf>,
    /// Own labelled data: .tsv, .csv, .jsonl
    #[arg(long, value_name = "FILE", requires_all = ["text", "label"], conflicts_with = "task")]
    pub dev: Option<PathBuf>,
    /// For a pre-trained model: text whose hidden words it is to find, plain or .gz, as for `pretrain`
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["task", "dev"])]
    pub holdout: Vec<PathBuf>,
    /// Windows of --holdout, at most
    #[arg(long, default_value_t = 512, value_name = "N", requires = "holdout")]
    pub holdout_windows: usize,
    /// Column with the text
    #[arg(long, value_name = "COLUMN")]
    pub text: Option<String>,
    /// Column with the second text of a pair
    #[arg(long, value_name = "COLUMN")]
    pub pair: Option<String>,
    /// Column with the label
    #[arg(long, value_name = "COLUMN")]
    pub label: Option<String>,
    /// Longest input in tokens
    #[arg(long, default_value_t = 128, value_name = "TOKENS")]
    pub max_length: usize,
    /// Examples in one pass
    #[arg(long, default_value_t = 32, value_name = "N")]
    pub batch: usize,
    /// auto, cpu, gpu, gpu:N or software
    #[arg(long, default_value_t = Default::default())]
    pub device: Choice,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `overfold predict`.
#[derive(Debug, Args)]
pub struct PredictArgs {
    /// Fine-tuned model: a folder or a name on the hub
    #[arg(long, value_name = "DIR|NAME")]
    pub model: String,
    /// Texts to label; with --pair, the first texts of the pairs
    #[arg(value_name = "TEXT", required_unless_present = "input")]
    pub texts: Vec<String>,
    /// The second text, where the model takes pairs; one for each TEXT
    #[arg(long, value_name = "TEXT")]
    pub pair: Vec<String>,
    /// File with texts: .txt (one a line), .tsv, .csv, .jsonl
    #[arg(long, value_name = "FILE", conflicts_with = "texts")]
    pub input: Option<PathBuf>,
    /// Column of --input with the text
    #[arg(long, value_name = "COLUMN", default_value = "text")]
    pub text_column: String,
    /// Column of --input with the second text
    #[arg(long, value_name = "COLUMN")]
    pub pair_column: Option<String>,
    /// Longest input in tokens
    #[arg(long, default_value_t = 128, value_name = "TOKENS")]
    pub max_length: usize,
    /// Show what a pre-trained model would put in the place of each `[MASK]`
    #[arg(long, conflicts_with_all = ["pair", "pair_column"])]
    pub fill_mask: bool,
    /// auto, cpu, gpu, gpu:N or software
    #[arg(long, default_value_t = Default::default())]
    pub device: Choice,
    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// `overfold fold`.
#[derive(Debug, Args)]
pub struct FoldArgs {
    /// Folder of a run
    #[arg(long, value_name = "DIR")]
    pub run: PathBuf,
    /// Folder for the model; must not exist yet
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// `overfold inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// Hugging Face folder or a name on the hub
    #[arg(long, value_name = "DIR|NAME")]
    pub model: String,
    /// Show this matrix as a chain, as in `encoder.layer.0.output.dense.weight`
    #[arg(long, value_name = "NAME")]
    pub matrix: Option<String>,
    /// Cores of the chains
    #[arg(long, default_value_t = 5, value_name = "M")]
    pub cores: usize,
    /// Shape of the chain, as in `48,1*3,32 x 24,1*3,16`
    #[arg(long, requires = "matrix")]
    pub shape: Option<overfold::mpo::Shape>,
    /// Where the singular values go: left, right, symmetric, balanced
    #[arg(long, default_value_t = overfold::mpo::Gauge::Symmetric)]
    pub gauge: overfold::mpo::Gauge,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Write the spectrum of --matrix as a picture
    #[arg(long, value_name = "FILE", requires = "matrix")]
    pub svg: Option<PathBuf>,
}

/// `overfold curves`.
#[derive(Debug, Args)]
pub struct CurvesArgs {
    /// Folders of runs: all of `pretrain`, or all of `finetune`
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<PathBuf>,
    /// The loss on what was learned from, averaged over fortieths of the run, instead of that on what was held out
    #[arg(long)]
    pub training: bool,
    /// The picture; one that is there is replaced
    #[arg(long, value_name = "FILE")]
    pub svg: PathBuf,
}

/// `overfold export-web`.
#[derive(Debug, Args)]
pub struct ExportWebArgs {
    /// Folder of a finished run: its model, that of its plain twin, and the one from which they started
    #[arg(long, value_name = "DIR", required_unless_present = "model")]
    pub run: Option<PathBuf>,
    /// One fine-tuned model instead: a folder or a name on the hub
    #[arg(long, value_name = "DIR|NAME", conflicts_with = "run")]
    pub model: Option<String>,
    /// Folder for the result; must not exist yet
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// What the page calls the model
    #[arg(long, default_value = "a fine-tuned model", value_name = "NAME")]
    pub name: String,
    /// Terms of the weights, as the page states them
    #[arg(long, default_value = "not stated", value_name = "TERMS")]
    pub license: String,
    /// Labelled texts for the page: .tsv, .csv, .jsonl [default: the reviews, where the classes are theirs]
    #[arg(long, value_name = "FILE", requires_all = ["text", "label"])]
    pub dev: Option<PathBuf>,
    /// Column with the text
    #[arg(long, value_name = "COLUMN", requires = "dev")]
    pub text: Option<String>,
    /// Column with the label
    #[arg(long, value_name = "COLUMN", requires = "dev")]
    pub label: Option<String>,
    /// Longest input in tokens
    #[arg(long, default_value_t = 128, value_name = "TOKENS")]
    pub max_length: usize,
}

/// `overfold vocab`.
#[derive(Debug, Args)]
pub struct VocabArgs {
    /// Text to learn from, plain or `.gz`: one paragraph a line, blank lines between articles
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    pub text: Vec<PathBuf>,
    /// Tokens in the vocabulary
    #[arg(long, default_value_t = 6000, value_name = "N")]
    pub size: usize,
    /// Longest input of the models that will use it
    #[arg(long, default_value_t = 128, value_name = "TOKENS")]
    pub positions: usize,
    /// Folder for the tokenizer; must not exist yet
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// `overfold pretrain`.
#[derive(Debug, Args)]
pub struct PretrainArgs {
    /// What is run.
    #[command(flatten)]
    pub config: PretrainConfig,
    /// Folder for the result; must not exist yet
    #[arg(long, value_name = "DIR", help_heading = "Run")]
    pub out: PathBuf,
    /// Go on with the interrupted run in --out; its saved flags hold
    #[arg(long, help_heading = "Run")]
    pub resume: bool,
}

/// `overfold doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// auto, cpu, gpu, gpu:N or software
    #[arg(long, default_value_t = Default::default())]
    pub device: Choice,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
