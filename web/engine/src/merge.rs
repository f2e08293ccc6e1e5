//! One file of weights from several: an export is cut into files that are small enough to download again.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use overfold::checkpoint::{CheckpointError, Weights};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

/// Opens the tensors of all `parts`, each with the name of its file. A tensor that lies in several of them is cut between
/// rows, in their order. `model` stands for the whole in messages.
///
/// # Errors
/// [`CheckpointError::Safetensors`] if a part is damaged, or does not go on where another ended.
pub fn open(model: &str, mut parts: Vec<(String, Cow<'static, [u8]>)>) -> Result<Weights, CheckpointError> {
    if parts.len() == 1
        && let Some((name, bytes)) = parts.pop()
    {
        return Weights::from_bytes(Path::new(&name), bytes);
    }
    let invalid = |name: &str, reason: String| CheckpointError::Safetensors { path: name.into(), reason };
    let mut tensors: BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)> = BTreeMap::new();
    for (name, bytes) in &parts {
        let part = SafeTensors::deserialize(bytes).map_err(|error| invalid(name, error.to_string()))?;
        for (key, view) in part.tensors() {
            let start = || (view.dtype(), [&[0], view.shape().get(1..).unwrap_or_default()].concat(), Vec::new());
            let (dtype, shape, data) = tensors.entry(key.clone()).or_insert_with(start);
            if *dtype != view.dtype() || view.shape().get(1..) != shape.get(1..) {
                return Err(invalid(name, format!("`{key}` does not go on where another file ended")));
            }
            shape[0] += view.shape()[0];
            data.extend_from_slice(view.data());
        }
    }
    let views =
        tensors.iter().map(|(key, (dtype, shape, data))| Ok((key, TensorView::new(*dtype, shape.clone(), data)?)));
    let whole = views.collect::<Result<Vec<_>, _>>().and_then(|views| safetensors::serialize(views, None));
    Weights::from_bytes(Path::new(model), whole.map_err(|error| invalid(model, error.to_string()))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of tensors of two columns, or none.
    fn part(tensors: &[(&str, &[f32])], columns: usize) -> Cow<'static, [u8]> {
        let bytes: Vec<Vec<u8>> =
            tensors.iter().map(|(_, values)| values.iter().flat_map(|x| x.to_le_bytes()).collect()).collect();
        let views = tensors.iter().zip(&bytes).map(|((name, values), bytes)| {
            let shape = vec![values.len() / columns, columns];
            (*name, TensorView::new(Dtype::F32, shape, bytes).unwrap())
        });
        safetensors::serialize(views, None).unwrap().into()
    }

    #[test]
    fn parts_become_one_file_and_matrices_go_on_in_the_next() {
        let first = part(&[("a", &[1.0, 2.0]), ("b", &[3.0, 4.0, 5.0, 6.0])], 2);
        let parts = vec![("1".into(), first), ("2".into(), part(&[("b", &[7.0, 8.0]), ("c", &[9.0, 0.0])], 2))];
        let weights = open("model", parts.clone()).unwrap();
        assert_eq!(weights.names().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(weights.shape("b"), Some(&[3, 2][..]));
        assert_eq!(weights.values("b").unwrap(), Some(vec![3.0, 4.0, 5.0, 6.0, 7.0, 8.0]));
        let other = [parts, vec![("3".into(), part(&[("b", &[7.0, 8.0, 9.0])], 3))]].concat();
        let error = open("model", other).err().unwrap().to_string();
        assert!(error.starts_with("3: ") && error.contains("`b` does not go on"), "{error}");
        let damaged = vec![("1".into(), part(&[("a", &[1.0])], 1)), ("2".into(), Cow::Borrowed(&b"abc"[..]))];
        assert!(open("model", damaged).err().unwrap().to_string().starts_with("2: "));
    }
}
