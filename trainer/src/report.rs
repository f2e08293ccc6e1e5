//! `run.json`, and the checks at the end of a run.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Instant;

use burn::module::Module;
use overfold::checkpoint::Folder;
use overfold::model::{BertForSequenceClassification, Noise, replaced};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::config::FinetuneConfig;
use crate::data::Labels;
use crate::error::Error;
use crate::metrics::Scores;
use crate::strategy::Round;
use crate::training::{Best, EvaluationRecord, Job, State, evaluate, logits, read_model};

/// Largest difference between logits that should be equal: the bar of the project for folded models, 10⁻⁴.
const LOGIT_TOLERANCE: f64 = 1e-4;

/// The contents of `run.json`.
#[derive(Debug, Serialize, Deserialize)]
pub struct RunReport {
    /// `running`, `interrupted` or `finished`.
    pub status: String,
    /// Version of this program.
    pub overfold: String,
    /// The flags.
    pub config: FinetuneConfig,
    /// For people.
    pub device: String,
    /// Name of the data set.
    pub dataset: String,
    /// Classes, or regression.
    pub labels: Labels,
    /// Number of training, validation and test examples.
    pub examples: [usize; 3],
    /// Optimizer steps of the main phase.
    pub steps: usize,
    /// Things a reader should know.
    pub notes: Vec<String>,
    /// Results, when finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub results: Option<Results>,
}

/// What a finished run found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Results {
    /// The pre-trained model with its fresh head; runs of the first versions have none.
    #[serde(default)]
    pub before: Option<Scores>,
    /// The epoch that is kept in `model/`: the best on the validation set.
    pub best: EvaluationRecord,
    /// The last evaluation.
    pub last: EvaluationRecord,
    /// All evaluations.
    pub evaluations: Vec<EvaluationRecord>,
    /// The kept model on the test half of `--split-dev`.
    pub test: Option<Scores>,
    /// The selections.
    pub rounds: Vec<Round>,
    /// The checks.
    pub verification: Verification,
    /// Seconds of training in this process, checkpoints and evaluations included.
    pub seconds: f64,
    /// Highest resident memory of the process in bytes, where the system tells.
    pub peak_memory: Option<u64>,
}

/// The folded model against the trained one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Verification {
    /// Largest |difference| of logits between the model in memory and the folder read back.
    pub folder: f64,
    /// The same, with every chain contracted anew in f64; `None` without chains.
    pub chains: Option<f64>,
    /// Parameters of the model before, trained at the end, and after.
    pub parameters: [usize; 3],
    /// Median milliseconds of one forward pass of the longest validation text, before and after.
    pub latency_ms: [f64; 2],
}

impl RunReport {
    /// The report of a run that has not finished.
    pub fn new(job: &Job, status: &str) -> Self {
        Self {
            status: status.into(),
            overfold: env!("CARGO_PKG_VERSION").into(),
            config: job.config.clone(),
            device: job.device.description(),
            dataset: job.dataset.clone(),
            labels: job.labels.clone(),
            examples: [job.train.len(), job.validation.len(), job.test.as_ref().map_or(0, |test| test.len())],
            steps: job.total_steps,
            notes: job.notes.clone(),
            results: None,
        }
    }

    /// Reads `run.json`.
    ///
    /// # Errors
    /// [`Error::File`] if there is none, or it is of another version.
    pub fn read(run: &Path) -> Result<Self, Error> {
        read_json(run)
    }

    /// Writes `run.json` under a temporary name first.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn write(&self, run: &Path) -> Result<(), Error> {
        write_json(run, self)
    }
}

/// Reads the `run.json` of a folder.
pub(crate) fn read_json<T: DeserializeOwned>(run: &Path) -> Result<T, Error> {
    let path = run.join("run.json");
    let text = fs::read_to_string(&path)
        .map_err(|e| Error::file(&path, format!("{e}; expected the folder of a run (its --out)")))?;
    serde_json::from_str(&text).map_err(|e| Error::file(&path, e))
}

/// Writes a file under a temporary name first: what is there is whole, before and after.
pub(crate) fn replace_file(path: &Path, text: &str) -> Result<(), Error> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    fs::write(&partial, text).and_then(|()| fs::rename(&partial, path)).map_err(|e| Error::file(path, e))
}

/// Writes the `run.json` of a folder.
pub(crate) fn write_json(run: &Path, report: &impl Serialize) -> Result<(), Error> {
    let path = run.join("run.json");
    let mut text = serde_json::to_string_pretty(report).map_err(|e| Error::file(&path, e))?;
    text.push('\n');
    replace_file(&path, &text)
}

/// Checks the folder `model/` of a finished run against the model in memory and against its chains. Returns the scores
/// of the pre-trained model, too.
///
/// # Errors
/// [`Error::Verification`] if logits differ by more than 10⁻⁴, [`Error::Checkpoint`] if the folder cannot be read.
pub fn verify(job: &Job, state: &State, best: &Best) -> Result<(Scores, Verification), Error> {
    let device = &job.device.device;
    let original = job.load()?;
    let folder = Folder::open(&job.out.join("model"))?;
    let read_back = read_model(&folder, &job.labels, device)?;
    let compute = |model: &BertForSequenceClassification| logits(model, &job.validation, job.device.pad_to, device);
    let in_memory = compute(&best.model);
    let difference = |other: Vec<Vec<f32>>| {
        let pairs = in_memory.iter().flatten().zip(other.iter().flatten());
        let distances = pairs.map(|(a, b)| f64::from((a - b).abs()));
        distances.fold(0.0, larger)
    };
    let chains = if best.chains.is_empty() {
        None
    } else {
        let mut matrices = BTreeMap::new();
        for (name, chain) in &best.chains {
            let mpo = chain.to_mpo().map_err(|source| Error::Shape { flag: name.clone(), source })?;
            matrices.insert(name.clone(), mpo.contract().into_iter().map(|x| x as f32).collect::<Vec<f32>>());
        }
        let contracted = replaced(best.model.valid(), matrices, device);
        Some(difference(compute(&contracted)))
    };
    let verification = Verification {
        folder: difference(compute(&read_back)),
        chains,
        parameters: [original.num_params(), state.optimizer.trained_parameters(&state.model), read_back.num_params()],
        latency_ms: latency(job, &original, &read_back),
    };
    let worst = [verification.folder, verification.chains.unwrap_or(0.0)].into_iter().fold(0.0, larger);
    if worst.is_nan() || worst > LOGIT_TOLERANCE {
        return Err(Error::Verification(format!(
            "the folded model's logits differ from the trained model's by {worst:.1e}, more than {LOGIT_TOLERANCE:.0e}; \
             `overfold doctor` checks the device. The model lies in {}",
            job.out.join("model").display()
        )));
    }
    Ok((evaluate(&original, &job.validation, job.metric, job.device.pad_to, device).scores, verification))
}

/// The larger of two numbers; NaN is larger than any (`f64::max` would pass over it).
fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}

/// Median milliseconds of a forward pass of one text, padded to a multiple of 64 tokens, measured in turns so that drift meets both.
fn latency(job: &Job, before: &BertForSequenceClassification, after: &BertForSequenceClassification) -> [f64; 2] {
    const ROUNDS: usize = 9;
    let longest = (0..job.validation.len()).max_by_key(|&i| job.validation.inputs[i].ids.len()).unwrap_or(0);
    let device = &job.device.device;
    let length = job.folder.config.max_position_embeddings.min(64);
    let batch = job.validation.batch(&[longest], length, device);
    let mut times = [Vec::new(), Vec::new()];
    let models = [before.valid(), after.valid()];
    for round in 0..=ROUNDS {
        for (model, times) in models.iter().zip(&mut times) {
            let start = Instant::now();
            // Reading the result waits for the device.
            let _ = model.forward(&batch, &Noise::off()).into_data();
            // The first round compiles and tunes.
            if round > 0 {
                times.push(start.elapsed().as_secs_f64() * 1e3);
            }
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    })
}

/// Scores of the kept model on the test half.
pub fn test_scores(job: &Job, best: &Best) -> Option<Scores> {
    let test = job.test.as_ref()?;
    Some(evaluate(&best.model, test, job.metric, job.device.pad_to, &job.device.device).scores)
}

/// Highest resident memory of this process in bytes; only Linux tells without a system call of our own.
pub fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}

/// The table at the end of a run; `plain`: its twin without chains.
pub fn print_summary(job: &Job, results: &Results, plain: Option<&Results>) {
    let v = &results.verification;
    let millions = |n: usize| format!("{:.2}M", n as f64 / 1e6);
    let row = |what: &str, found: &dyn fmt::Display| println!("  {what:<22}{found}");
    println!("\n{} · {} · {}", job.dataset, job.config.method, job.device.description());
    if let Some(before) = &results.before {
        row("before fine-tuning", before);
    }
    if let Some(plain) = plain {
        row(&format!("plain, epoch {:.2}", plain.best.epoch), &plain.best.scores);
    }
    row(&format!("{}, epoch {:.2}", job.config.method, results.best.epoch), &results.best.scores);
    if results.last.step != results.best.step {
        row(&format!("last epoch, {:.2}", results.last.epoch), &results.last.scores);
    }
    if let Some(test) = &results.test {
        row("test half", test);
    }
    let chains = match v.chains {
        Some(chains) => format!(", {chains:.1e} (chains contracted anew in f64)"),
        None => String::new(),
    };
    row("folded", &format!("logits differ by {:.1e} (folder read back){chains}", v.folder));
    let [before, trained, after] = v.parameters.map(millions);
    row("parameters", &format!("{before} before · {trained} trained · {after} after"));
    let [before, after] = v.latency_ms;
    row("latency", &format!("{before:.1} ms before · {after:.1} ms after (one forward pass, median of 9)"));
    let memory = results.peak_memory.map(|bytes| format!(" · peak memory {:.2} GB", bytes as f64 / 1e9));
    row("time", &format!("{:.0} s{}", results.seconds, memory.unwrap_or_default()));
    let model = job.out.join("model");
    println!("\nThe model lies in {}. Try it:\n  overfold predict --model {} \"…\"", model.display(), model.display());
}
