//! From a model to `model.safetensors` under the names that `transformers` reads.

use std::collections::HashMap;
use std::path::Path as FilePath;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};
use safetensors::tensor::{TensorView, serialize_to_file};
use safetensors::{Dtype, SafeTensorError};

use super::{CheckpointError, Files};
use crate::model::names::Path;
use crate::model::BertConfig;

/// Every parameter of a module with its name in the checkpoint, read to host memory in f32.
pub fn named_tensors<M: Module>(module: &M) -> Vec<(String, TensorData)> {
    #[derive(Default)]
    struct Collector {
        path: Path,
        tensors: Vec<(String, TensorData)>,
    }
    impl ModuleVisitor for Collector {
        fn enter_module(&mut self, name: &str, _container: &str) {
            self.path.push(name);
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.tensors.push((self.path.name(), param.val().inner().into_data_as::<f32>()));
        }
    }
    let mut collector = Collector::default();
    module.visit(&mut collector);
    collector.tensors
}

/// Writes f32 tensors to a safetensors file, under a temporary name first.
///
/// # Errors
/// [`CheckpointError::Io`], a full disk for example.
pub fn write_safetensors(path: &FilePath, tensors: &[(String, TensorData)]) -> Result<(), CheckpointError> {
    let failed = |error: SafeTensorError| match error {
        SafeTensorError::IoError(source) => CheckpointError::Io { path: path.to_owned(), source },
        other => CheckpointError::Safetensors { path: path.to_owned(), reason: other.to_string() },
    };
    let views = tensors
        .iter()
        .map(|(name, data)| Ok((name, TensorView::new(Dtype::F32, data.shape().to_vec(), data.as_bytes())?)))
        .collect::<Result<Vec<_>, SafeTensorError>>()
        .map_err(failed)?;
    // `transformers` refuses files that do not name their framework.
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    serialize_to_file(views, Some(metadata), path).map_err(failed)
}

/// Fills the folder `to` with `config.json`, `model.safetensors` and the tokenizer's files of `tokenizer`.
///
/// # Errors
/// [`CheckpointError::Io`].
pub fn save_model<M: Module>(
    to: &FilePath,
    model: &M,
    config: &BertConfig,
    tokenizer: &Files,
) -> Result<(), CheckpointError> {
    write_safetensors(&to.join("model.safetensors"), &named_tensors(model))?;
    let path = to.join("config.json");
    let invalid = |error: serde_json::Error| CheckpointError::Config { path: path.clone(), source: error.into() };
    let mut text = serde_json::to_string_pretty(config).map_err(invalid)?;
    text.push('\n');
    std::fs::write(&path, text).map_err(CheckpointError::io(&path))?;
    tokenizer.copy_tokenizer(to)
}
