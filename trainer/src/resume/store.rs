//! The two files of a checkpoint, whatever is trained.

use std::fs;
use std::path::Path;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use overfold::checkpoint::{Precision, Weights, named_tensors, write_folder, write_safetensors};
use overfold::model::names::Path as ParameterPath;
use overfold::operations::Moments;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::optimizer::TensorState;

/// Collects what a checkpoint will hold.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    tensors: Vec<(String, TensorData)>,
}

impl Writer {
    /// Adds a tensor.
    pub fn tensor(&mut self, name: String, tensor: Tensor<1>) {
        self.tensors.push((name, tensor.into_data_as::<f32>()));
    }

    /// Adds AdamW's moments of a tensor.
    pub fn state(&mut self, name: &str, state: &TensorState) {
        if let Some(moments) = &state.moments {
            self.tensor(format!("first/{name}"), moments.first.clone());
            self.tensor(format!("second/{name}"), moments.second.clone());
        }
    }

    /// Adds all parameters of a model.
    pub fn model<M: Module>(&mut self, prefix: &str, model: &M) {
        let named = named_tensors(model).into_iter();
        self.tensors.extend(named.map(|(name, data)| (format!("{prefix}/{name}"), data)));
    }

    /// Writes `checkpoint/` of a run, replacing the previous one only when the new one is complete.
    pub fn write(self, run: &Path, record: &impl Serialize) -> Result<(), Error> {
        write_folder(&run.join("checkpoint"), |folder| {
            write_safetensors(&folder.join("tensors.safetensors"), &self.tensors, Precision::Single)?;
            let path = folder.join("state.json");
            let text = serde_json::to_string(record).map_err(|e| Error::file(&path, e))?;
            fs::write(&path, text).map_err(|e| Error::file(&path, e))
        })
    }
}

/// A checkpoint's tensors.
pub(crate) struct Reader<'a> {
    weights: Weights,
    device: &'a Device,
}

impl<'a> Reader<'a> {
    /// Opens `checkpoint/` of a run; `None` if there is none.
    pub fn open<R: DeserializeOwned>(run: &Path, device: &'a Device) -> Result<Option<(R, Self)>, Error> {
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
        Ok(Some((record, Self { weights, device })))
    }

    /// Where tensors are put.
    pub fn device(&self) -> &Device {
        self.device
    }

    /// What follows `prefix` in the names that start with it.
    pub fn names(&self, prefix: &str) -> Vec<String> {
        self.weights.names().filter_map(|key| key.strip_prefix(prefix)).map(str::to_owned).collect()
    }

    /// A tensor, flattened.
    pub fn tensor(&self, key: &str) -> Result<Tensor<1>, Error> {
        let missing = || Error::file(self.weights.path(), format!("damaged checkpoint: `{key}` is missing"));
        let values = self.weights.values(key)?.ok_or_else(missing)?;
        let length = values.len();
        Ok(Tensor::from_data(TensorData::new(values, [length]), self.device))
    }

    /// AdamW's state of a tensor that has taken `steps` steps.
    pub fn state(&self, name: &str, steps: usize) -> Result<TensorState, Error> {
        let moments = if steps == 0 {
            None
        } else {
            let (first, second) = (self.tensor(&format!("first/{name}"))?, self.tensor(&format!("second/{name}"))?);
            Some(Moments { first, second })
        };
        Ok(TensorState { steps, moments })
    }

    /// Puts saved parameters into a model.
    pub fn model<M: Module>(&self, prefix: &str, model: M) -> Result<M, Error> {
        struct Mapper<'a> {
            reader: &'a Reader<'a>,
            prefix: &'a str,
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
