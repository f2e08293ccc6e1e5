//! Weights in files that are small enough to fetch again.

use std::path::Path;

use burn::tensor::TensorData;
use overfold::checkpoint::{Precision, write_safetensors};

use crate::error::Error;

/// Bytes of a number in F16.
const HALF: usize = 2;

/// Writes tensors to `STEM-0.safetensors`, `STEM-1.safetensors`, … in `folder`, in F16, at most `limit` bytes of weights in each.
/// What does not fit is cut between rows and goes on in the next file under the same name. Returns the files' names.
///
/// # Errors
/// As [`write_safetensors`].
pub fn write(tensors: &[(String, TensorData)], stem: &str, limit: usize, folder: &Path) -> Result<Vec<String>, Error> {
    let files = cut(tensors, limit / HALF);
    let mut names = Vec::with_capacity(files.len());
    for (k, file) in files.iter().enumerate() {
        let name = format!("{stem}-{k}.safetensors");
        write_safetensors(&folder.join(&name), file, Precision::Half)?;
        names.push(name);
    }
    Ok(names)
}

/// The same numbers in groups of at most `limit`; a row that is longer is a group of its own.
fn cut(tensors: &[(String, TensorData)], limit: usize) -> Vec<Vec<(String, TensorData)>> {
    let mut files: Vec<Vec<(String, TensorData)>> = vec![Vec::new()];
    let mut room = limit;
    for (name, data) in tensors {
        let shape = data.shape().to_vec();
        let rows = shape.first().copied().unwrap_or(1).max(1);
        let values: Vec<f32> = data.iter::<f32>().collect();
        let width = values.len() / rows;
        let mut from = 0;
        while from < rows {
            // A matrix that would fit into a file of its own is not cut.
            let fits = if values.len() <= limit && values.len() > room { 0 } else { room / width.max(1) };
            let fits = if room == limit { fits.max(1) } else { fits };
            let to = rows.min(from + fits);
            if to > from {
                let mut part = shape.clone();
                if let Some(first) = part.first_mut() {
                    *first = to - from;
                }
                let piece = TensorData::new(values[from * width..to * width].to_vec(), part);
                room = room.saturating_sub((to - from) * width);
                if let Some(file) = files.last_mut() {
                    file.push((name.clone(), piece));
                }
                from = to;
            }
            if from < rows {
                files.push(Vec::new());
                room = limit;
            }
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn tensor(name: &str, shape: &[usize]) -> (String, TensorData) {
        let size: usize = shape.iter().product();
        (name.into(), TensorData::new((0..size).map(|k| k as f32).collect::<Vec<_>>(), shape.to_vec()))
    }

    #[test]
    fn all_rows_come_back_in_order() {
        let tensors = [
            tensor("words", &[1000, 7]),
            tensor("bias", &[7]),
            tensor("matrix", &[40, 40]),
            tensor("wide", &[2, 3000]),
        ];
        for limit in [7, 100, 1500, 2000, 7000, 100_000] {
            let files = cut(&tensors, limit);
            let mut joined: BTreeMap<String, Vec<f32>> = BTreeMap::new();
            for file in &files {
                assert!(!file.is_empty());
                let size: usize = file.iter().map(|(_, data)| data.shape().iter().product::<usize>()).sum();
                let one_row = file.len() == 1 && file[0].1.shape()[0] == 1;
                assert!(size <= limit || one_row, "{size} of {limit}");
                for (name, data) in file {
                    joined.entry(name.clone()).or_default().extend(data.iter::<f32>());
                }
            }
            for (name, data) in &tensors {
                assert_eq!(joined[name], data.iter::<f32>().collect::<Vec<_>>(), "{name}, limit {limit}");
            }
        }
    }

    #[test]
    fn a_matrix_that_fits_lies_in_one_file() {
        let files = cut(&[tensor("a", &[10, 10]), tensor("b", &[10, 10]), tensor("c", &[3, 10])], 150);
        let names: Vec<Vec<&str>> = files.iter().map(|f| f.iter().map(|(name, _)| name.as_str()).collect()).collect();
        assert_eq!(names, [vec!["a"], vec!["b", "c"]]);
    }
}
