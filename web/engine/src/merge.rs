//! One file of weights from several: an export is cut into files that are small enough to download again.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use overfold::checkpoint::{CheckpointError, Weights};
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

/// Opens the tensors of all `parts`, each with the name of its file. `model` stands for the whole in messages.
///
/// # Errors
/// [`CheckpointError::Safetensors`] if a part is damaged, or a tensor lies in two of them.
pub fn open(model: &str, mut parts: Vec<(String, Cow<'static, [u8]>)>) -> Result<Weights, CheckpointError> {
    if parts.len() == 1
        && let Some((name, bytes)) = parts.pop()
    {
        return Weights::from_bytes(Path::new(&name), bytes);
    }
    let invalid = |name: &str, reason: String| CheckpointError::Safetensors { path: name.into(), reason };
    let mut views: BTreeMap<String, TensorView<'_>> = BTreeMap::new();
    for (name, bytes) in &parts {
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| invalid(name, error.to_string()))?;
        for (key, view) in tensors.tensors() {
            if views.insert(key.clone(), view).is_some() {
                return Err(invalid(name, format!("`{key}` lies in another file too")));
            }
        }
    }
    let whole = safetensors::serialize(views, None).map_err(|error| invalid(model, error.to_string()))?;
    Weights::from_bytes(Path::new(model), whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::Dtype;

    fn part(tensors: &[(&str, f32)]) -> Cow<'static, [u8]> {
        let bytes: Vec<[u8; 4]> = tensors.iter().map(|(_, value)| value.to_le_bytes()).collect();
        let views = tensors
            .iter()
            .zip(&bytes)
            .map(|((name, _), bytes)| (*name, TensorView::new(Dtype::F32, vec![1], bytes).unwrap()));
        safetensors::serialize(views, None).unwrap().into()
    }

    #[test]
    fn parts_become_one_file_and_a_tensor_may_lie_in_one_only() {
        let parts = || vec![("1".into(), part(&[("a", 1.0), ("b", 2.0)])), ("2".into(), part(&[("c", 3.0)]))];
        let weights = open("model", parts()).unwrap();
        assert_eq!(weights.names().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(weights.values("c").unwrap(), Some(vec![3.0]));
        let twice = [parts(), vec![("3".into(), part(&[("b", 4.0)]))]].concat();
        let error = open("model", twice).err().unwrap().to_string();
        assert!(error.starts_with("3: ") && error.contains("`b` lies in another file"), "{error}");
        let damaged = vec![("1".into(), part(&[("a", 1.0)])), ("2".into(), Cow::Borrowed(&b"abc"[..]))];
        assert!(open("model", damaged).err().unwrap().to_string().starts_with("2: "));
    }
}
