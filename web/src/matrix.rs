//! The matrix that the figures show.

use overfold::mpo::MpoError;

use crate::math::linalg::{Svd, norm};
use crate::safetensors::Dtype;
use crate::state::Source;

/// Rows and columns of the built-in pieces; see `data/README.md`.
pub const BUILT_IN: [usize; 2] = [64, 96];

/// A matrix with its SVD.
#[derive(Debug, Clone)]
pub struct Matrix {
    /// Which it is.
    pub source: Source,
    /// Where it comes from, for the reader.
    pub origin: String,
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
    /// Row-major, as stored.
    pub stored: Vec<f32>,
    /// The same in f64.
    pub w: Vec<f64>,
    /// ‖W‖.
    pub norm: f64,
    /// Of the matrix itself.
    pub svd: Svd,
}

impl Matrix {
    /// A matrix of finite numbers.
    ///
    /// # Errors
    /// [`MpoError`] if the length is wrong, the matrix is empty, or a value is not finite.
    pub fn new(source: Source, origin: String, size: [usize; 2], stored: Vec<f32>) -> Result<Self, MpoError> {
        let [rows, cols] = size;
        let w: Vec<f64> = stored.iter().copied().map(f64::from).collect();
        let svd = Svd::of(&w, rows, cols)?;
        Ok(Self { source, origin, rows, cols, norm: norm(&w), stored, w, svd })
    }

    /// One of the pieces that come with the page.
    ///
    /// # Errors
    /// None in practice: the pieces are tested.
    pub fn built_in(source: Source) -> Result<Self, MpoError> {
        let (stored, origin) = match source {
            Source::Positions => (
                Dtype::F16.decode(include_bytes!("../data/minilm-positions-64x96.f16")),
                "the first 64 position embeddings of MiniLM, 96 columns, rounded to f16",
            ),
            _ => (
                Dtype::F32.decode(include_bytes!("../data/minilm-query-64x96.f32")),
                "64 rows and 96 columns of a query weight of MiniLM",
            ),
        };
        let source = if source == Source::Own { Source::Query } else { source };
        Self::new(source, origin.into(), BUILT_IN, stored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_are_the_models() {
        let query = Matrix::built_in(Source::Query).unwrap();
        // By NumPy, from the same file.
        for (k, s) in [(0, 1.894), (32, 0.767), (63, 0.083)] {
            assert!((query.svd.s[k] - s).abs() < 6e-4, "{k}: {}", query.svd.s[k]);
        }
        let positions = Matrix::built_in(Source::Positions).unwrap();
        assert!((crate::math::linalg::tail(&positions.svd.s, 16) / positions.norm - 0.088).abs() < 6e-4);
    }
}
