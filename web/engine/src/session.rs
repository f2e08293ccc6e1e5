//! The models of an export on one device.

use burn::tensor::Device;
use overfold::chain::Chain;
use overfold::checkpoint::{ClassifierPolicy, PoolerPolicy, load_model};
use overfold::model::{Batch, BertForSequenceClassification, Noise, replaced, with_tensors};

use crate::{EngineError, Export, Refolded};

/// Shortest input on a GPU in tokens, padding included.
const BUCKET: usize = 16;

/// All models of an export, ready to answer.
pub struct Session {
    /// Those of the export, and the first one with other matrices if there are any.
    models: Vec<BertForSequenceClassification>,
    count: usize,
    /// The other matrices before they were folded.
    chains: Vec<(String, Chain)>,
    device: Device,
    pad: u32,
    /// Whether inputs are padded to a few lengths. On a GPU kernels are chosen and compiled by shape, which takes far longer
    /// than the padding; on the CPU padding is only work.
    buckets: bool,
    max_length: usize,
    labels: usize,
}

impl Session {
    /// Puts the models on a device.
    ///
    /// # Errors
    /// What is wrong with the weights; they must fit the configuration entirely.
    pub fn open(export: &Export, device: Device, buckets: bool) -> Result<Self, EngineError> {
        let labels = export.manifest().labels.len();
        let load = |weights| {
            let (classifier, pooler) = (ClassifierPolicy::Required, PoolerPolicy::Required);
            load_model(weights, export.config(), labels, classifier, pooler, &device).map(|(model, _)| model)
        };
        let models = export.weights().iter().map(load).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            count: models.len(),
            models,
            chains: Vec::new(),
            pad: export.pad(),
            buckets,
            max_length: export.max_length(),
            labels,
            device,
        })
    }

    /// Adds the first model with these matrices in the place of its own, in two ways: folded, as the model after the export's,
    /// and as chains, as the one after that. Those that were there go.
    pub fn set_matrices(&mut self, refolded: Refolded) {
        self.models.truncate(self.count);
        self.chains = refolded.cores(&self.device);
        self.models.extend(self.models.first().cloned().map(|model| replaced(model, refolded.matrices, &self.device)));
    }

    /// A model; that of chains is made by contracting them on the device, each time.
    fn model(&self, index: usize) -> Result<BertForSequenceClassification, EngineError> {
        let count = self.models.len();
        if index == count && count > self.count {
            let contracted = self.chains.iter().map(|(name, chain)| (name.clone(), chain.clone().contract()));
            return Ok(with_tensors(self.models[0].clone(), contracted.collect()));
        }
        self.models.get(index).cloned().ok_or(EngineError::Model { index, count })
    }

    /// The logits of a model for one text, given as token ids ([`Export::encode`]).
    ///
    /// # Errors
    /// [`EngineError::Device`] if the device is lost or gives numbers that are not finite.
    pub async fn logits(&self, model: usize, ids: &[u32]) -> Result<Vec<f32>, EngineError> {
        let model = self.model(model)?;
        let types = vec![0; ids.len()];
        let batch = Batch::new(&[(ids, &types)], self.pad, self.padded(ids.len()), &self.device);
        let failed = |error: &dyn std::fmt::Display| EngineError::Device(error.to_string());
        // Reading is asynchronous: a browser's GPU cannot be waited for.
        let data = model.forward(&batch, &Noise::off()).into_data_async().await.map_err(|e| failed(&e))?;
        let logits: Vec<f32> = data.iter::<f32>().collect();
        if logits.len() != self.labels || logits.iter().any(|x| !x.is_finite()) {
            return Err(failed(&format!("it gave {logits:?} as logits")));
        }
        Ok(logits)
    }

    /// The device.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The length to which an input is padded.
    fn padded(&self, tokens: usize) -> usize {
        if self.buckets {
            tokens.next_power_of_two().clamp(BUCKET.min(self.max_length), self.max_length)
        } else {
            tokens
        }
    }
}
