//! `checkpoint/`: everything an interrupted run needs to go on exactly where it was.
//!
//! `state.json` holds what is not a tensor, `tensors.safetensors` the rest: weights (`model/NAME`), AdamW's moments
//! (`first/…`, `second/…`), cores (`core/NAME/K`), importance sums, and the best model with its chains (`best/…`). The
//! order of the data and all dropout masks follow from the seed and the step, so no generator needs to be saved.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use overfold::chain::Chain;
use overfold::checkpoint::{Weights, named_tensors, write_folder, write_safetensors};
use overfold::model::BertForSequenceClassification;
use overfold::model::names::Path as ParameterPath;
use overfold::mpo::{Core, Mpo, Shape};
use overfold::operations::Moments;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::optimizer::{Optimizer, TensorState, Unfolded};
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
    let mut tensors = Vec::new();
    let mut put = |name: String, tensor: Tensor<1>| tensors.push((name, tensor.into_data_as::<f32>()));
    for (name, dense) in &state.optimizer.dense {
        put_moments(&mut put, name, dense);
    }
    for (name, unfolded) in &state.optimizer.unfolded {
        put_cores(&mut put, "core", name, &unfolded.chain);
        for (k, core) in unfolded.cores.iter().enumerate() {
            put_moments(&mut put, &format!("{name}/{k}"), core);
        }
    }
    for (name, sum) in state.accumulator.sums() {
        put(format!("importance/{name}"), sum.clone());
    }
    for (name, chain) in state.best.iter().flat_map(|best| &best.chains) {
        put_cores(&mut put, "best-core", name, chain);
    }
    let prefixed = |prefix: &'static str, model: &BertForSequenceClassification| {
        named_tensors(model).into_iter().map(move |(name, data)| (format!("{prefix}/{name}"), data))
    };
    tensors.extend(prefixed("model", &state.model));
    tensors.extend(state.best.iter().flat_map(|best| prefixed("best", &best.model)));

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
    write_folder(&job.out.join("checkpoint"), |folder| {
        write_safetensors(&folder.join("tensors.safetensors"), &tensors)?;
        let path = folder.join("state.json");
        let text = serde_json::to_string(&record).map_err(|e| Error::file(&path, e))?;
        fs::write(&path, text).map_err(|e| Error::file(&path, e))
    })
}

fn put_moments(put: &mut impl FnMut(String, Tensor<1>), name: &str, state: &TensorState) {
    if let Some(moments) = &state.moments {
        put(format!("first/{name}"), moments.first.clone());
        put(format!("second/{name}"), moments.second.clone());
    }
}

fn put_cores(put: &mut impl FnMut(String, Tensor<1>), prefix: &str, name: &str, chain: &Chain) {
    for (k, core) in chain.cores().iter().enumerate() {
        put(format!("{prefix}/{name}/{k}"), core.values.clone());
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
    let Some(reader) = Reader::open(&job.out, &job.device.device)? else { return Ok(None) };
    let model = BertForSequenceClassification::new(&job.folder.config, job.labels.outputs(), &job.device.device);
    let record = &reader.record;
    let optimizer = Optimizer {
        dense: record
            .dense_steps
            .iter()
            .map(|(name, &steps)| Ok((name.clone(), reader.state(name, steps)?)))
            .collect::<Result<_, Error>>()?,
        unfolded: record
            .chains
            .iter()
            .map(|(name, chain)| Ok((name.clone(), reader.unfolded(name, chain)?)))
            .collect::<Result<_, Error>>()?,
    };
    let mut accumulator = Accumulator::default();
    let sums = reader.weights.names().filter_map(|key| key.strip_prefix("importance/"));
    let sums: Vec<(String, Tensor<1>)> = sums
        .map(|name| Ok((name.to_owned(), reader.tensor(&format!("importance/{name}"))?)))
        .collect::<Result<_, Error>>()?;
    accumulator.restore(sums);
    let best = match &record.best {
        Some(evaluation) => Some(Best {
            record: evaluation.clone(),
            model: reader.model("best", model.clone())?.train(),
            chains: record
                .best_chains
                .iter()
                .map(|(name, chain)| Ok((name.clone(), reader.chain("best-core", name, chain)?)))
                .collect::<Result<_, Error>>()?,
        }),
        None => None,
    };
    Ok(Some(State {
        phase: record.phase,
        step: record.step,
        model: reader.model("model", model)?.train(),
        optimizer,
        selector: record.selector.clone(),
        accumulator,
        rounds: record.rounds.clone(),
        evaluations: record.evaluations.clone(),
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
    let reader = Reader::open(run, device)?
        .ok_or_else(|| Error::file(&run.join("checkpoint"), "no checkpoint; the run stopped before the first one"))?;
    match &reader.record.best {
        Some(best) => Ok((reader.model("best", model)?, best.step)),
        None => Ok((reader.model("model", model)?, reader.record.step)),
    }
}

struct Reader<'a> {
    record: StateRecord,
    weights: Weights,
    device: &'a Device,
}

impl<'a> Reader<'a> {
    fn open(run: &Path, device: &'a Device) -> Result<Option<Self>, Error> {
        let mut folder = run.join("checkpoint");
        if !folder.is_dir() {
            // Killed between the two renames of a write: the previous checkpoint is complete.
            folder = run.join("checkpoint.old");
        }
        if !folder.is_dir() {
            return Ok(None);
        }
        let path = folder.join("state.json");
        let text = fs::read_to_string(&path).map_err(|e| Error::file(&path, e))?;
        let record = serde_json::from_str(&text).map_err(|e| Error::file(&path, format!("damaged checkpoint: {e}")))?;
        let weights = Weights::open(&folder.join("tensors.safetensors"))?;
        Ok(Some(Self { record, weights, device }))
    }

    fn values(&self, key: &str) -> Result<Vec<f32>, Error> {
        let missing = || Error::file(self.weights.path(), format!("damaged checkpoint: `{key}` is missing"));
        self.weights.values(key)?.ok_or_else(missing)
    }

    fn tensor(&self, key: &str) -> Result<Tensor<1>, Error> {
        let values = self.values(key)?;
        let length = values.len();
        Ok(Tensor::from_data(TensorData::new(values, [length]), self.device))
    }

    fn state(&self, name: &str, steps: usize) -> Result<TensorState, Error> {
        let moments = if steps == 0 {
            None
        } else {
            let (first, second) = (self.tensor(&format!("first/{name}"))?, self.tensor(&format!("second/{name}"))?);
            Some(Moments { first, second })
        };
        Ok(TensorState { steps, moments })
    }

    fn chain(&self, prefix: &str, name: &str, record: &ChainRecord) -> Result<Chain, Error> {
        // Shape and zeros first, then the values exactly as they were.
        let cores =
            record.shape.core_dims().into_iter().map(|dims| Core { dims, data: vec![0.0; dims.iter().product()] });
        let mpo = Mpo::from_cores(record.rows, record.cols, cores.collect())
            .map_err(|source| Error::Shape { flag: name.to_owned(), source })?;
        let mut chain = Chain::from_mpo(&mpo, self.device);
        let mut saved = (0..chain.cores().len())
            .map(|k| self.tensor(&format!("{prefix}/{name}/{k}")))
            .collect::<Result<Vec<_>, _>>()?
            .into_iter();
        chain.update(|_, zeros| saved.next().unwrap_or(zeros));
        Ok(chain)
    }

    fn unfolded(&self, name: &str, record: &ChainRecord) -> Result<Unfolded, Error> {
        let states = record.steps.iter().enumerate().map(|(k, &steps)| self.state(&format!("{name}/{k}"), steps));
        Ok(Unfolded {
            chain: self.chain("core", name, record)?,
            cores: states.collect::<Result<_, _>>()?,
            rate: record.rate,
        })
    }

    fn model(
        &self,
        prefix: &'static str,
        model: BertForSequenceClassification,
    ) -> Result<BertForSequenceClassification, Error> {
        struct Mapper<'a> {
            reader: &'a Reader<'a>,
            prefix: &'static str,
            path: ParameterPath,
            error: Option<Error>,
        }
        impl ModuleMapper for Mapper<'_> {
            fn enter_module(&mut self, name: &str, _container: &str) {
                self.path.push(name);
            }
            fn exit_module(&mut self, _name: &str, _container: &str) {
                self.path.pop();
            }
            fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
                match self.reader.tensor(&format!("{}/{}", self.prefix, self.path.name())) {
                    Ok(values) => param.map(|old| values.reshape(old.dims())),
                    Err(error) => {
                        self.error.get_or_insert(error);
                        param
                    }
                }
            }
        }
        let mut mapper = Mapper { reader: self, prefix, path: ParameterPath::default(), error: None };
        let model = model.map(&mut mapper);
        mapper.error.map_or(Ok(model), Err)
    }
}
