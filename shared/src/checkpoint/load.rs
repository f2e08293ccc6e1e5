//! From a checkpoint's tensors to a model, with a strict account of what was used.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};

use super::{CheckpointError, Weights};
use crate::model::names::Path;
use crate::model::{BertConfig, BertForMaskedLM, BertForSequenceClassification};

/// Where the classifier's parameters come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassifierPolicy {
    /// From the file, which must have them.
    Required,
    /// Fresh, whatever the file has: the task is new.
    Fresh,
}

/// Where the pooler's parameters come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolerPolicy {
    /// From the file, which must have them.
    Required,
    /// Fresh, whatever the file has.
    Fresh,
    /// From the file, unless it has none or one that was never trained (a bias that is zero everywhere).
    Auto,
}

/// What became of a checkpoint's tensors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// Number of parameters (tensors) taken from the file.
    pub loaded: usize,
    /// Parameters that were drawn afresh.
    pub fresh: Vec<String>,
    /// Tensors in the file that were not used, all on the list of those that are safe to ignore.
    pub ignored: Vec<String>,
}

/// Makes a model on `device` from a checkpoint's tensors. Fresh parameters are drawn from `device`'s generator.
///
/// # Errors
/// [`CheckpointError::Missing`] for parameters that must be there, [`CheckpointError::Unused`] for tensors without a
/// place, and what [`Weights::values`] returns.
pub fn load_model(
    weights: &Weights,
    config: &BertConfig,
    outputs: usize,
    classifier: ClassifierPolicy,
    pooler: PoolerPolicy,
    device: &Device,
) -> Result<(BertForSequenceClassification, LoadReport), CheckpointError> {
    let names = weights.canonical_names();
    let mut fresh_prefixes = Vec::new();
    if classifier == ClassifierPolicy::Fresh {
        fresh_prefixes.push("classifier.");
    }
    if pooler == PoolerPolicy::Fresh || (pooler == PoolerPolicy::Auto && !trained_pooler(weights, &names)?) {
        fresh_prefixes.push("bert.pooler.");
    }
    // Heads of pre-training, and what a fresh head replaces.
    let ignorable = [&["cls."][..], &fresh_prefixes].concat();
    let model = BertForSequenceClassification::new(config, outputs, device);
    fill(weights, names, model, fresh_prefixes, &ignorable, device)
}

/// Makes a model for masked-language modelling on `device` from a checkpoint's tensors.
///
/// # Errors
/// As [`load_model`].
pub fn load_masked(
    weights: &Weights,
    config: &BertConfig,
    device: &Device,
) -> Result<(BertForMaskedLM, LoadReport), CheckpointError> {
    // The decoder is the word embedding; some files repeat it.
    let ignorable = ["bert.pooler.", "cls.seq_relationship.", "cls.predictions.decoder."];
    fill(weights, weights.canonical_names(), BertForMaskedLM::new(config, device), Vec::new(), &ignorable, device)
}

/// Fills a fresh model. `names`: canonical names and those in the file.
fn fill<M: Module>(
    weights: &Weights,
    names: BTreeMap<String, String>,
    model: M,
    fresh_prefixes: Vec<&'static str>,
    ignorable: &[&str],
    device: &Device,
) -> Result<(M, LoadReport), CheckpointError> {
    let mut loader = Loader {
        weights,
        names,
        fresh_prefixes,
        device,
        path: Path::default(),
        report: LoadReport::default(),
        missing: Vec::new(),
        error: None,
    };
    let model = model.map(&mut loader);
    if let Some(error) = loader.error {
        return Err(error);
    }
    if !loader.missing.is_empty() {
        return Err(CheckpointError::Missing { path: weights.path().to_owned(), keys: loader.missing });
    }
    // What the model took was removed from `names`.
    let (ignored, unused): (Vec<_>, Vec<_>) = loader.names.into_iter().partition(|(canonical, _)| {
        // Integer positions of old `transformers` releases are no parameters.
        canonical == "bert.embeddings.position_ids" || ignorable.iter().any(|prefix| canonical.starts_with(prefix))
    });
    let originals = |pairs: Vec<(String, String)>| pairs.into_iter().map(|(_, name)| name).collect();
    if !unused.is_empty() {
        return Err(CheckpointError::Unused { path: weights.path().to_owned(), keys: originals(unused) });
    }
    loader.report.ignored = originals(ignored);
    Ok((model, loader.report))
}

fn trained_pooler(weights: &Weights, names: &BTreeMap<String, String>) -> Result<bool, CheckpointError> {
    let Some(name) = names.get("bert.pooler.dense.bias") else { return Ok(false) };
    Ok(weights.values(name)?.is_some_and(|bias| bias.iter().any(|&b| b != 0.0)))
}

struct Loader<'a> {
    weights: &'a Weights,
    names: BTreeMap<String, String>,
    fresh_prefixes: Vec<&'static str>,
    device: &'a Device,
    path: Path,
    report: LoadReport,
    missing: Vec<String>,
    error: Option<CheckpointError>,
}

impl Loader<'_> {
    fn read<const D: usize>(&mut self, key: &str, expected: &[usize]) -> Result<Option<Tensor<D>>, CheckpointError> {
        let Some(name) = self.names.remove(key) else { return Ok(None) };
        let found = self.weights.shape(&name).unwrap_or_default();
        if found != expected {
            return Err(CheckpointError::Shape {
                path: self.weights.path().to_owned(),
                key: name.clone(),
                found: found.to_vec(),
                expected: expected.to_vec(),
            });
        }
        let values = self.weights.values(&name)?.unwrap_or_default();
        Ok(Some(Tensor::from_data(TensorData::new(values, expected.to_vec()), self.device)))
    }
}

impl ModuleMapper for Loader<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.error.is_some() {
            return param;
        }
        let key = self.path.name();
        if self.fresh_prefixes.iter().any(|prefix| key.starts_with(prefix)) {
            self.report.fresh.push(key);
            // Drawn now, in the order of the walk, so that a seed fixes the values.
            return param.map(|value| value);
        }
        let expected: Vec<usize> = param.lazy_shape().to_vec();
        match self.read::<D>(&key, &expected) {
            Ok(Some(value)) => {
                self.report.loaded += 1;
                Param::from_tensor(value)
            }
            Ok(None) => {
                self.missing.push(key);
                param
            }
            Err(error) => {
                self.error = Some(error);
                param
            }
        }
    }
}
