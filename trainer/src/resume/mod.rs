//! `checkpoint/`: everything an interrupted run needs to go on exactly where it was.
//!
//! `state.json` holds what is not a tensor, `tensors.safetensors` the rest: weights (`model/NAME`), AdamW's moments
//! (`first/…`, `second/…`), cores (`core/NAME/K`), importance sums, and the best model with its chains (`best/…`). The
//! order of the data and all dropout masks follow from the seed and the step, so no generator needs to be saved.

mod store;

use std::collections::BTreeMap;
use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use overfold::chain::Chain;
use overfold::model::BertForSequenceClassification;
use overfold::mpo::{Core, Mpo, Shape};
use serde::{Deserialize, Serialize};

pub(crate) use store::{Reader, Writer};

use crate::error::Error;
use crate::optimizer::{Optimizer, Unfolded};
use crate::strategy::{Accumulator, Round, Selector};
use crate::training::{Best, EvaluationRecord, Job, Phase, State};

#[derive(Debug, Serialize, Deserialize)]
struct ChainRecord {
    shape: Shape,
    rows: usize,
    cols: usize,
    /// AdamW's step count of each core; empty for the best model's chains.
    steps: Vec<usize>,
    rate: Option<f64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StateRecord {
    phase: Phase,
    step: usize,
    dense_steps: BTreeMap<String, usize>,
    chains: BTreeMap<String, ChainRecord>,
    selector: Selector,
    rounds: Vec<Round>,
    evaluations: Vec<EvaluationRecord>,
    best: Option<EvaluationRecord>,
    best_chains: BTreeMap<String, ChainRecord>,
}

/// Writes the checkpoint of a run, replacing the previous one only when it is complete.
///
/// # Errors
/// [`Error::Checkpoint`], a full disk for example; the previous checkpoint is kept then.
pub fn save(job: &Job, state: &State) -> Result<(), Error> {
    let mut writer = Writer::default();
    for (name, dense) in &state.optimizer.dense {
        writer.state(name, dense);
    }
    for (name, unfolded) in &state.optimizer.unfolded {
        put_cores(&mut writer, "core", name, &unfolded.chain);
        for (k, core) in unfolded.cores.iter().enumerate() {
            writer.state(&format!("{name}/{k}"), core);
        }
    }
    for (name, sum) in state.accumulator.sums() {
        writer.tensor(format!("importance/{name}"), sum.clone());
    }
    writer.model("model", &state.model);
    if let Some(best) = &state.best {
        writer.model("best", &best.model);
        for (name, chain) in &best.chains {
            put_cores(&mut writer, "best-core", name, chain);
        }
    }
    let record = StateRecord {
        phase: state.phase,
        step: state.step,
        dense_steps: state.optimizer.dense.iter().map(|(name, state)| (name.clone(), state.steps)).collect(),
        chains: state.optimizer.unfolded.iter().map(|(name, u)| (name.clone(), record_unfolded(u))).collect(),
        selector: state.selector.clone(),
        rounds: state.rounds.clone(),
        evaluations: state.evaluations.clone(),
        best: state.best.as_ref().map(|best| best.record.clone()),
        best_chains: state
            .best
            .iter()
            .flat_map(|best| &best.chains)
            .map(|(name, chain)| (name.clone(), record_chain(chain, Vec::new(), None)))
            .collect(),
    };
    writer.write(&job.out, &record)
}

fn put_cores(writer: &mut Writer, prefix: &str, name: &str, chain: &Chain) {
    for (k, core) in chain.cores().iter().enumerate() {
        writer.tensor(format!("{prefix}/{name}/{k}"), core.values.clone());
    }
}

fn record_unfolded(unfolded: &Unfolded) -> ChainRecord {
    record_chain(&unfolded.chain, unfolded.cores.iter().map(|core| core.steps).collect(), unfolded.rate)
}

fn record_chain(chain: &Chain, steps: Vec<usize>, rate: Option<f64>) -> ChainRecord {
    let [rows, cols] = chain.matrix_dims();
    ChainRecord { shape: chain.shape().clone(), rows, cols, steps, rate }
}

/// Reads the checkpoint of a run; `None` if it was interrupted before the first one.
///
/// # Errors
/// [`Error::File`] or [`Error::Checkpoint`] if the checkpoint is damaged.
pub fn load(job: &Job) -> Result<Option<State>, Error> {
    let Some((record, reader)) = Reader::open::<StateRecord>(&job.out, &job.device.device)? else { return Ok(None) };
    let model = BertForSequenceClassification::new(&job.folder.config, job.labels.outputs(), &job.device.device);
    let optimizer = Optimizer {
        dense: record
            .dense_steps
            .iter()
            .map(|(name, &steps)| Ok((name.clone(), reader.state(name, steps)?)))
            .collect::<Result<_, Error>>()?,
        unfolded: record
            .chains
            .iter()
            .map(|(name, chain)| Ok((name.clone(), read_unfolded(&reader, name, chain)?)))
            .collect::<Result<_, Error>>()?,
    };
    let mut accumulator = Accumulator::default();
    let sums = reader.names("importance/").into_iter();
    let sums: Vec<(String, Tensor<1>)> = sums
        .map(|name| Ok((name.clone(), reader.tensor(&format!("importance/{name}"))?)))
        .collect::<Result<_, Error>>()?;
    accumulator.restore(sums);
    let best = match &record.best {
        Some(evaluation) => Some(Best {
            record: evaluation.clone(),
            model: reader.model("best", model.clone())?.train(),
            chains: record
                .best_chains
                .iter()
                .map(|(name, chain)| Ok((name.clone(), read_chain(&reader, "best-core", name, chain)?)))
                .collect::<Result<_, Error>>()?,
        }),
        None => None,
    };
    Ok(Some(State {
        phase: record.phase,
        step: record.step,
        model: reader.model("model", model)?.train(),
        optimizer,
        selector: record.selector,
        accumulator,
        rounds: record.rounds,
        evaluations: record.evaluations,
        best,
    }))
}

/// The weights of a run's last checkpoint, put into `model`, and the step they are from: the best model if there is one.
///
/// # Errors
/// As [`load`]; [`Error::File`] if there is no checkpoint.
pub fn load_weights(
    run: &Path,
    model: BertForSequenceClassification,
    device: &Device,
) -> Result<(BertForSequenceClassification, usize), Error> {
    let (record, reader) = Reader::open::<StateRecord>(run, device)?
        .ok_or_else(|| Error::file(&run.join("checkpoint"), "no checkpoint; the run stopped before the first one"))?;
    match &record.best {
        Some(best) => Ok((reader.model("best", model)?, best.step)),
        None => Ok((reader.model("model", model)?, record.step)),
    }
}

fn read_chain(reader: &Reader, prefix: &str, name: &str, record: &ChainRecord) -> Result<Chain, Error> {
    // Shape and zeros first, then the values exactly as they were.
    let cores = record.shape.core_dims().into_iter().map(|dims| Core { dims, data: vec![0.0; dims.iter().product()] });
    let mpo = Mpo::from_cores(record.rows, record.cols, cores.collect())
        .map_err(|source| Error::Shape { flag: name.to_owned(), source })?;
    let mut chain = Chain::from_mpo(&mpo, reader.device());
    let mut saved = (0..chain.cores().len())
        .map(|k| reader.tensor(&format!("{prefix}/{name}/{k}")))
        .collect::<Result<Vec<_>, _>>()?
        .into_iter();
    chain.update(|_, zeros| saved.next().unwrap_or(zeros));
    Ok(chain)
}

fn read_unfolded(reader: &Reader, name: &str, record: &ChainRecord) -> Result<Unfolded, Error> {
    let states = record.steps.iter().enumerate().map(|(k, &steps)| reader.state(&format!("{name}/{k}"), steps));
    Ok(Unfolded {
        chain: read_chain(reader, "core", name, record)?,
        cores: states.collect::<Result<_, _>>()?,
        rate: record.rate,
    })
}
