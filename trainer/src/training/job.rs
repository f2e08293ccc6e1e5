//! What is prepared once and never changes during a run.

use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::Device;
use overfold::checkpoint::{ClassifierPolicy, Folder, PoolerPolicy, load_model};
use overfold::model::names::Group;
use overfold::model::{BertConfig, BertForSequenceClassification, drawn};

use crate::config::{FinetuneConfig, Importance, Method, PoolerChoice};
use crate::data::{self, Columns, Dataset, Labels};
use crate::device::{self, Opened};
use crate::encode::{EncodedSet, EpochOrder};
use crate::error::Error;
use crate::hub;
use crate::metrics::Metric;
use crate::optimizer::Rate;

/// A run's inputs: configuration, model folder, tokenized data, device.
#[derive(Debug)]
pub struct Job {
    /// The flags.
    pub config: FinetuneConfig,
    /// The pre-trained model.
    pub folder: Folder,
    /// Name of the data set.
    pub dataset: String,
    /// Classes, or regression.
    pub labels: Labels,
    /// The main metric.
    pub metric: Metric,
    /// Training examples.
    pub train: EncodedSet,
    /// Examples that pick the best epoch.
    pub validation: EncodedSet,
    /// The test half of `--split-dev`.
    pub test: Option<EncodedSet>,
    /// Where it runs.
    pub device: Opened,
    /// The folder of the run.
    pub out: PathBuf,
    /// Optimizer steps in an epoch.
    pub steps_per_epoch: usize,
    /// Optimizer steps in the run.
    pub total_steps: usize,
    /// The learning rate's course.
    pub rate: Rate,
    /// What a user should know: texts that were cut, for example.
    pub notes: Vec<String>,
}

impl Job {
    /// Checks the flags, opens the model, the data and the device.
    ///
    /// # Errors
    /// [`Error`] for whatever cannot be used.
    pub fn prepare(config: FinetuneConfig, out: PathBuf) -> Result<Self, Error> {
        check_flags(&config)?;
        let model = config.model.as_deref().ok_or_else(|| Error::flag("--model", "expected a folder or a hub name"))?;
        let folder = hub::open(model)?;
        check_shapes(&config, &folder.config)?;
        let longest = folder.config.max_position_embeddings;
        if config.max_length > longest || config.max_length < 3 {
            let reason = format!("{} tokens; the model takes 3 to {longest}", config.max_length);
            return Err(Error::flag("--max-length", reason));
        }
        let tokenizer = folder.tokenizer(config.max_length)?;
        let dataset = load_data(&config)?;
        let (validation, test) = match config.split_dev {
            Some(seed) => {
                let (validation, test) = data::own::split_half(&dataset.dev, seed);
                (validation, Some(test))
            }
            None => (dataset.dev, None),
        };
        let train = EncodedSet::new(&dataset.train, &tokenizer)?;
        let validation = EncodedSet::new(&validation, &tokenizer)?;
        let test = test.map(|test| EncodedSet::new(&test, &tokenizer)).transpose()?;
        let mut notes = dataset.notes;
        for (name, set) in [("training", Some(&train)), ("validation", Some(&validation)), ("test", test.as_ref())] {
            if let Some(set) = set
                && set.truncated() > 0
            {
                let (cut, all, length) = (set.truncated(), set.len(), config.max_length);
                notes.push(format!("{cut} of {all} {name} texts are longer than {length} tokens and were cut"));
            }
        }
        let steps_per_epoch = train.len().div_ceil(config.batch * config.accumulate);
        let total_steps = config.steps.unwrap_or((config.epochs * steps_per_epoch as f64).ceil() as usize);
        Ok(Self {
            rate: Rate::new(config.schedule, config.warmup, total_steps),
            device: device::open(config.device)?,
            dataset: dataset.name,
            labels: dataset.labels,
            metric: dataset.metric,
            config,
            folder,
            train,
            validation,
            test,
            out,
            steps_per_epoch,
            total_steps,
            notes,
        })
    }

    /// The order of the training examples in each epoch.
    pub fn epoch_order(&self) -> EpochOrder {
        self.train.order(self.config.group_by_length, self.config.batch, self.config.seed)
    }

    /// The pre-trained model with a fresh head, ready to train.
    ///
    /// # Errors
    /// [`Error::Checkpoint`].
    pub fn fresh_model(&self) -> Result<BertForSequenceClassification, Error> {
        Ok(self.load()?.train())
    }

    /// The pre-trained model with a fresh head.
    ///
    /// # Errors
    /// [`Error::Checkpoint`].
    pub fn load(&self) -> Result<BertForSequenceClassification, Error> {
        Ok(pretrained(&self.folder, &self.config, &self.labels)?.fork(&self.device.device))
    }

    /// The model in `--reference`.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if it is not a model of this task; [`Error::Flag`] if it is not one of these classes.
    pub fn reference_model(&self, folder: &Path) -> Result<BertForSequenceClassification, Error> {
        let folder = Folder::open(folder)?;
        let wanted = self.result_config();
        if folder.config.class_names() != wanted.class_names() {
            let reason = format!(
                "{}: its classes are {:?}, those of the data {:?}; fine-tune it on this task with --method plain",
                folder.root().display(),
                folder.config.class_names(),
                wanted.class_names()
            );
            return Err(Error::flag("--reference", reason));
        }
        let (classifier, pooler) = (ClassifierPolicy::Required, PoolerPolicy::Required);
        let (weights, device) = (folder.weights()?, &self.device.device);
        // Built as the model that is trained: a file of another architecture does not fit.
        Ok(load_model(&weights, &wanted, self.labels.outputs(), classifier, pooler, device)?.0)
    }

    /// `config.json` of the result.
    pub fn result_config(&self) -> BertConfig {
        let mut config = self.folder.config.clone();
        match &self.labels {
            Labels::Classes(classes) => config.set_head(classes),
            Labels::Regression => config.set_head(&[]),
        }
        config
    }
}

/// A pre-trained model with a fresh head, on the CPU. A seed gives the same fresh weights wherever the
/// model is trained then.
///
/// # Errors
/// [`Error::Checkpoint`].
pub fn pretrained(
    folder: &Folder,
    config: &FinetuneConfig,
    labels: &Labels,
) -> Result<BertForSequenceClassification, Error> {
    let cpu = Device::flex();
    cpu.seed(config.seed);
    let outputs = labels.outputs();
    if config.random_weights {
        return Ok(drawn(BertForSequenceClassification::new(&folder.config, outputs, &cpu)));
    }
    let pooler = match config.pooler {
        PoolerChoice::Auto => PoolerPolicy::Auto,
        PoolerChoice::Keep => PoolerPolicy::Required,
        PoolerChoice::Fresh => PoolerPolicy::Fresh,
    };
    Ok(load_model(&folder.weights()?, &folder.config, outputs, ClassifierPolicy::Fresh, pooler, &cpu)?.0)
}

/// A fine-tuned model, which must have a classifier.
///
/// # Errors
/// As [`load_model`].
pub fn read_model(folder: &Folder, labels: &Labels, device: &Device) -> Result<BertForSequenceClassification, Error> {
    let (classifier, pooler) = (ClassifierPolicy::Required, PoolerPolicy::Required);
    Ok(load_model(&folder.weights()?, &folder.config, labels.outputs(), classifier, pooler, device)?.0)
}

fn check_flags(config: &FinetuneConfig) -> Result<(), Error> {
    let positive = |flag: &str, value: usize| match value {
        0 => Err(Error::flag(flag, "0; expected at least 1")),
        _ => Ok(()),
    };
    positive("--batch", config.batch)?;
    positive("--accumulate", config.accumulate)?;
    positive("--checkpoint-every", config.checkpoint_every)?;
    positive("--log-every", config.log_every)?;
    positive("--cores", config.cores)?;
    positive("--steps", config.steps.unwrap_or(1))?;
    positive("--interval", config.interval.unwrap_or(1))?;
    positive("--importance-examples", config.importance_examples)?;
    let within = |flag: &str, value: f64, low: f64, expected: &str| {
        if value.is_finite() && value >= low {
            Ok(())
        } else {
            Err(Error::flag(flag, format!("{value}; expected {expected}")))
        }
    };
    within("--lr", config.lr, f64::MIN_POSITIVE, "a positive number")?;
    within("--epochs", config.epochs, f64::MIN_POSITIVE, "a positive number")?;
    within("--weight-decay", config.weight_decay, 0.0, "0 or more")?;
    within("--warmup", config.warmup, 0.0, "0 or more")?;
    within("--clip", config.clip, 0.0, "0 or more")?;
    if config.method == Method::Svd && !config.shape.is_empty() {
        return Err(Error::flag("--shape", "--method svd has two cores of the paper's shape; use --method static"));
    }
    let by_loss = matches!(config.method, Method::Static | Method::Svd) && config.importance() == Importance::Loss;
    if config.reference.is_some() && !by_loss {
        return Err(Error::flag("--reference", "only --method static or svd with --importance loss measures on it"));
    }
    if config.with_plain && config.method == Method::Plain {
        return Err(Error::flag("--with-plain", "--method plain is plain itself; leave one of them out"));
    }
    if config.task.is_none() && config.train.is_none() {
        return Err(Error::flag("--task", "no data; give --task, or --train, --dev, --text and --label"));
    }
    Ok(())
}

/// Every shape that may be needed, before any work is done.
fn check_shapes(config: &FinetuneConfig, bert: &BertConfig) -> Result<(), Error> {
    if config.method == Method::Plain {
        return Ok(());
    }
    let (hidden, wide) = (bert.hidden_size, bert.intermediate_size);
    for &group in &config.groups {
        let (rows, cols) = match group {
            Group::FfnUp => (wide, hidden),
            Group::FfnDown => (hidden, wide),
            _ => (hidden, hidden),
        };
        config.shape_for(group, rows, cols)?;
    }
    Ok(())
}

fn load_data(config: &FinetuneConfig) -> Result<Dataset, Error> {
    if let Some(task) = config.task {
        return Ok(task.load(config.data.as_deref())?);
    }
    let (Some(train), Some(dev), Some(text), Some(label)) = (&config.train, &config.dev, &config.text, &config.label)
    else {
        return Err(Error::flag("--train", "own data needs --train, --dev, --text and --label"));
    };
    let columns =
        Columns { text: text.clone(), pair: config.pair.clone(), label: label.clone(), regression: config.regression };
    Ok(data::own::load(train, dev, &columns)?)
}
