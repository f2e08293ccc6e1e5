//! From a model to `model.safetensors` under the names that `transformers` reads.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path as FilePath;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};
use half::f16;
use safetensors::tensor::{TensorView, serialize_to_file};
use safetensors::{Dtype, SafeTensorError};

use super::{CheckpointError, Files};
use crate::model::BertConfig;
use crate::model::names::Path;

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

/// The type of the numbers in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Precision {
    /// F32: what was trained, bit for bit.
    #[default]
    Single,
    /// F16: half the size, 11 significant bits.
    Half,
}

/// Writes f32 tensors to a safetensors file, under a temporary name first.
///
/// # Errors
/// [`CheckpointError::Io`], a full disk for example; [`CheckpointError::NotFinite`] for a number beyond what F16 holds.
pub fn write_safetensors(
    path: &FilePath,
    tensors: &[(String, TensorData)],
    precision: Precision,
) -> Result<(), CheckpointError> {
    let failed = |error: SafeTensorError| match error {
        SafeTensorError::IoError(source) => CheckpointError::Io { path: path.to_owned(), source },
        other => CheckpointError::Safetensors { path: path.to_owned(), reason: other.to_string() },
    };
    let halves = match precision {
        Precision::Single => Vec::new(),
        Precision::Half => tensors.iter().map(|(name, data)| halve(path, name, data)).collect::<Result<_, _>>()?,
    };
    let dtype = if precision == Precision::Half { Dtype::F16 } else { Dtype::F32 };
    let views = tensors
        .iter()
        .enumerate()
        .map(|(k, (name, data))| {
            let bytes = halves.get(k).map_or(data.as_bytes(), Vec::as_slice);
            Ok((name, TensorView::new(dtype, data.shape().to_vec(), bytes)?))
        })
        .collect::<Result<Vec<_>, SafeTensorError>>()
        .map_err(failed)?;
    // `transformers` refuses files that do not name their framework.
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    // The crate writes a temporary file that only its owner may read; the result is as readable as any other new file.
    let permissions =
        File::create(path).and_then(|file| file.metadata()).map_err(CheckpointError::io(path))?.permissions();
    serialize_to_file(views, Some(metadata), path).map_err(failed)?;
    fs::set_permissions(path, permissions).map_err(CheckpointError::io(path))
}

/// A tensor's bytes in F16, little-endian.
fn halve(path: &FilePath, key: &str, data: &TensorData) -> Result<Vec<u8>, CheckpointError> {
    let values = data.iter::<f32>().map(f16::from_f32).enumerate();
    let finite = values.map(|(index, value)| match value.is_finite() {
        true => Ok(value.to_le_bytes()),
        false => {
            let (path, key) = (path.to_owned(), key.to_owned());
            Err(CheckpointError::NotFinite { path, key, index, value: value.to_f32() })
        }
    });
    finite.collect::<Result<Vec<_>, _>>().map(|pairs| pairs.into_flattened())
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
    precision: Precision,
) -> Result<(), CheckpointError> {
    write_safetensors(&to.join("model.safetensors"), &named_tensors(model), precision)?;
    let path = to.join("config.json");
    let invalid = |error: serde_json::Error| CheckpointError::Config { path: path.clone(), source: error.into() };
    let mut text = serde_json::to_string_pretty(config).map_err(invalid)?;
    text.push('\n');
    fs::write(&path, text).map_err(CheckpointError::io(&path))?;
    tokenizer.copy_tokenizer(to)
}
