//! A chain of cores multiplied out on a device, for the figures of the lesson.

use burn::tensor::{Device, Tensor, TensorData};
use overfold::chain::Chain;
use overfold::mpo::{Core, Mpo, MpoError};

use crate::EngineError;

/// A chain from its cores' dimensions (d_{k−1}, i_k, j_k, d_k) and numbers, one after the other.
///
/// # Errors
/// [`EngineError::Contraction`] if they do not make a chain of a matrix of this size.
pub fn chain(rows: usize, cols: usize, dims: &[u32], numbers: &[f32]) -> Result<Mpo, EngineError> {
    let mut rest = numbers;
    let mut cores = Vec::new();
    for dims in dims.chunks(4) {
        let mut core = [0; 4];
        core.iter_mut().zip(dims).for_each(|(core, dim)| *core = *dim as usize);
        // What is missing is found below.
        let (data, others) = rest.split_at(core.iter().fold(1, |a: usize, b| a.saturating_mul(*b)).min(rest.len()));
        rest = others;
        cores.push(Core { dims: core, data: data.iter().copied().map(f64::from).collect() });
    }
    Ok(Mpo::from_cores(rows, cols, cores)?)
}

/// Multiplies a chain out in f32, and takes the product from `matrix` `[rows, cols]`. Returns the product and then what is left.
///
/// # Errors
/// [`EngineError::Contraction`] if the matrix has another size, [`EngineError::Device`] if the device is lost.
pub async fn contract(chain: &Mpo, matrix: &[f32], device: &Device) -> Result<Vec<f32>, EngineError> {
    let (rows, cols) = (chain.rows(), chain.cols());
    if matrix.len() != rows * cols {
        return Err(MpoError::Length { rows, cols, found: matrix.len() }.into());
    }
    let product = Chain::from_mpo(chain, device).contract();
    let matrix = Tensor::<2>::from_data(TensorData::new(matrix.to_vec(), [rows, cols]), device);
    let both = Tensor::cat(vec![product.clone(), matrix - product], 0);
    // Reading is asynchronous: a browser's GPU cannot be waited for.
    let data = both.into_data_async().await.map_err(|error| EngineError::Device(error.to_string()))?;
    Ok(data.iter::<f32>().collect())
}
