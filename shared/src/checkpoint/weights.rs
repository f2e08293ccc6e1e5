//! The tensors of a `model.safetensors`, whatever prefix and spelling it uses.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use safetensors::tensor::TensorInfo;
use safetensors::{Dtype, SafeTensorError, SafeTensors};

use super::CheckpointError;

/// Where the bytes of a file are.
enum Bytes {
    #[cfg(not(target_family = "wasm"))]
    Mapped(memmap2::Mmap),
    Owned(Cow<'static, [u8]>),
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        match self {
            #[cfg(not(target_family = "wasm"))]
            Self::Mapped(map) => map,
            Self::Owned(bytes) => bytes,
        }
    }
}

/// One safetensors file: names, shapes, and the values on demand.
pub struct Weights {
    path: PathBuf,
    bytes: Bytes,
    data_start: usize,
    tensors: BTreeMap<String, TensorInfo>,
}

impl Weights {
    /// Maps a file into memory and checks its header.
    ///
    /// # Errors
    /// [`CheckpointError::NotFound`], [`CheckpointError::Io`], [`CheckpointError::Safetensors`].
    #[cfg(not(target_family = "wasm"))]
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        if !path.is_file() {
            return Err(CheckpointError::NotFound { path: path.to_owned(), expected: super::files::EXPECTED });
        }
        let file = std::fs::File::open(path).map_err(CheckpointError::io(path))?;
        // SAFETY: the map is read-only; as with every mapped file, another process must not truncate it meanwhile.
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(CheckpointError::io(path))?;
        Self::new(path, Bytes::Mapped(map))
    }

    /// Takes the bytes of a file; `path` is for messages.
    ///
    /// # Errors
    /// [`CheckpointError::Safetensors`].
    pub fn from_bytes(path: &Path, bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self, CheckpointError> {
        Self::new(path, Bytes::Owned(bytes.into()))
    }

    fn new(path: &Path, bytes: Bytes) -> Result<Self, CheckpointError> {
        let invalid = |reason: String| CheckpointError::Safetensors { path: path.to_owned(), reason };
        let (header, metadata) = SafeTensors::read_metadata(bytes.as_ref())
            .map_err(|error| invalid(explain(&error, bytes.as_ref().len())))?;
        let tensors = metadata.tensors().into_iter().map(|(name, info)| (name, info.clone())).collect();
        Ok(Self { path: path.to_owned(), data_start: header + size_of::<u64>(), bytes, tensors })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names as the file spells them, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The shape of a tensor.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|info| info.shape.as_slice())
    }

    /// The values of a tensor in f32, row-major; `None` if there is no such tensor.
    ///
    /// # Errors
    /// [`CheckpointError::Dtype`] if they are not F32, F16 or BF16, [`CheckpointError::NotFinite`] for NaN or infinity.
    pub fn values(&self, name: &str) -> Result<Option<Vec<f32>>, CheckpointError> {
        let Some(info) = self.tensors.get(name) else { return Ok(None) };
        let (start, end) = info.data_offsets;
        let raw = &self.bytes.as_ref()[self.data_start + start..self.data_start + end];
        let pair = |b: &[u8]| [b[0], b[1]];
        let values: Vec<f32> = match info.dtype {
            Dtype::F32 => raw.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
            Dtype::F16 => raw.chunks_exact(2).map(|b| f16::from_le_bytes(pair(b)).to_f32()).collect(),
            Dtype::BF16 => raw.chunks_exact(2).map(|b| bf16::from_le_bytes(pair(b)).to_f32()).collect(),
            other => {
                let found = format!("{other:?}");
                return Err(CheckpointError::Dtype { path: self.path.clone(), key: name.into(), found });
            }
        };
        match values.iter().position(|value| !value.is_finite()) {
            Some(index) => {
                let value = values[index];
                Err(CheckpointError::NotFinite { path: self.path.clone(), key: name.into(), index, value })
            }
            None => Ok(Some(values)),
        }
    }

    /// Maps the names that this program uses to the names in the file.
    ///
    /// Encoders are published with and without the `bert.` prefix, and conversions of the first TensorFlow release call
    /// the parameters of a layer normalization `gamma` and `beta`.
    pub fn canonical_names(&self) -> BTreeMap<String, String> {
        let canonical = |name: &str| {
            let name = name
                .strip_suffix("LayerNorm.gamma")
                .map(|stem| Cow::from(format!("{stem}LayerNorm.weight")))
                .or_else(|| name.strip_suffix("LayerNorm.beta").map(|stem| format!("{stem}LayerNorm.bias").into()))
                .unwrap_or(name.into());
            let bare = ["embeddings.", "encoder.", "pooler."].iter().any(|prefix| name.starts_with(prefix));
            if bare { format!("bert.{name}") } else { name.into_owned() }
        };
        self.names().map(|name| (canonical(name), name.to_owned())).collect()
    }
}

fn explain(error: &SafeTensorError, length: usize) -> String {
    match error {
        SafeTensorError::HeaderTooSmall => format!("{length} bytes are too few for a header"),
        SafeTensorError::InvalidHeaderLength => format!("the header's length exceeds the file's {length} bytes"),
        SafeTensorError::HeaderTooLarge => "the header claims more than 100 MB".into(),
        SafeTensorError::InvalidHeader(_) => "the header is not UTF-8".into(),
        SafeTensorError::InvalidHeaderDeserialization(error) => format!("the header is not JSON: {error}"),
        SafeTensorError::InvalidOffset(key) => format!("the offsets of `{key}` overlap or leave gaps"),
        SafeTensorError::MetadataIncompleteBuffer => "it is truncated, or longer than its header says".into(),
        SafeTensorError::TensorInvalidInfo => "a tensor's shape and size disagree".into(),
        other => other.to_string(),
    }
}
