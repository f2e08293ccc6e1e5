//! The models of an export: a run with its twins, or one folder.

use std::collections::BTreeMap;
use std::path::Path;

use burn::module::Module;
use burn::tensor::Device;
use overfold::checkpoint::Folder;
use overfold::manifest::{Kind, Model};
use overfold::model::BertForSequenceClassification;
use serde_json::Value;

use crate::config::{FinetuneConfig, Method};
use crate::data::Labels;
use crate::error::Error;
use crate::hub;
use crate::metrics::Scores;
use crate::report::{Results, RunReport};
use crate::strategy::Round;
use crate::training::{pretrained, read_model};

/// Models of one architecture with what is known about them.
#[derive(Debug)]
pub struct Source {
    /// Configuration and tokenizer of them all.
    pub folder: Folder,
    /// The classes.
    pub labels: Labels,
    /// Name of the data set; empty if not known.
    pub task: String,
    /// The flags of the run.
    pub flags: Option<Value>,
    /// What was selected while training.
    pub rounds: Vec<Round>,
    /// The models, the one to show first.
    pub variants: Vec<Variant>,
    /// What a user should know.
    pub notes: Vec<String>,
}

/// One model.
#[derive(Debug)]
pub struct Variant {
    /// What it is.
    pub kind: Kind,
    /// On the CPU.
    pub model: BertForSequenceClassification,
    trained: Option<usize>,
    scores: BTreeMap<String, f64>,
    examples: Option<usize>,
}

impl Source {
    /// A finished run: its model, that of its plain twin if it has one, and the one from which both started.
    ///
    /// # Errors
    /// [`Error::Flag`] if the run is not finished, else what opening a folder returns.
    pub fn run(run: &Path) -> Result<Self, Error> {
        let report = RunReport::read(run)?;
        let finished = |report: &RunReport, run: &Path| {
            let unfinished = || {
                let reason =
                    format!("the run in {} is {}; finish it first with --resume", run.display(), report.status);
                Error::flag("--run", reason)
            };
            report.results.clone().ok_or_else(unfinished)
        };
        let results = finished(&report, run)?;
        let folder = Folder::open(&run.join("model"))?;
        let kind = if report.config.method == Method::Plain { Kind::Plain } else { Kind::Folded };
        let mut variants = vec![Variant::of_run(kind, &folder, &report.labels, &results)?];
        let twin = run.join("plain");
        if twin.join("run.json").is_file() {
            let results = finished(&RunReport::read(&twin)?, &twin)?;
            variants.push(Variant::of_run(Kind::Plain, &Folder::open(&twin.join("model"))?, &report.labels, &results)?);
        }
        let mut notes = Vec::new();
        let start = hub::open(report.config.model.as_deref().unwrap_or_default())
            .and_then(|start| pretrained(&start, &report.config, &report.labels));
        match start {
            Ok(model) => variants.push(Variant {
                trained: None,
                scores: results.before.as_ref().map(by_name).unwrap_or_default(),
                examples: results.before.as_ref().map(|scores| scores.examples),
                ..Variant::new(Kind::Before, model)
            }),
            Err(error) => notes.push(format!("the model before fine-tuning is left out: {error}")),
        }
        let flags = public(&report.config)?;
        Ok(Self {
            folder,
            labels: report.labels,
            task: report.dataset,
            flags: Some(flags),
            rounds: results.rounds,
            variants,
            notes,
        })
    }

    /// A model by folder or by name.
    ///
    /// # Errors
    /// What opening it returns.
    pub fn model(name: &str) -> Result<Self, Error> {
        let folder = hub::open(name)?;
        let labels = Labels::of_model(&folder.config, &folder.weights()?);
        let model = read_model(&folder, &labels, &Device::flex())?;
        let variants = vec![Variant::new(Kind::Given, model)];
        Ok(Self { folder, labels, task: String::new(), flags: None, rounds: Vec::new(), variants, notes: Vec::new() })
    }
}

impl Variant {
    fn new(kind: Kind, model: BertForSequenceClassification) -> Self {
        Self { kind, model, trained: None, scores: BTreeMap::new(), examples: None }
    }

    fn of_run(kind: Kind, folder: &Folder, labels: &Labels, results: &Results) -> Result<Self, Error> {
        let scores = &results.best.scores;
        Ok(Self {
            trained: Some(results.verification.parameters[1]),
            scores: by_name(scores),
            examples: Some(scores.examples),
            ..Self::new(kind, read_model(folder, labels, &Device::flex())?)
        })
    }

    /// Its entry in the manifest.
    pub fn describe(&self, weights: Vec<String>) -> Model {
        Model {
            kind: self.kind,
            weights,
            parameters: self.model.num_params(),
            trained: self.trained,
            scores: self.scores.clone(),
            examples: self.examples,
        }
    }
}

/// The flags without the folders of the machine on which it ran.
fn public(config: &FinetuneConfig) -> Result<Value, Error> {
    let mut flags = serde_json::to_value(config).map_err(|e| Error::flag("--run", e.to_string()))?;
    for flag in ["model", "data", "train", "dev", "reference"] {
        if let Some(path) = flags[flag].as_str() {
            flags[flag] = Path::new(path).file_name().unwrap_or_default().to_string_lossy().into();
        }
    }
    Ok(flags)
}

fn by_name(scores: &Scores) -> BTreeMap<String, f64> {
    scores.values.iter().map(|(metric, value)| (metric.to_string(), *value)).collect()
}
