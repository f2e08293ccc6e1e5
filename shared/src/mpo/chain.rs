//! The chain of cores itself.

use faer::MatRef;

use super::dense::view;
use super::{MpoError, Shape};

/// One core T_k.
#[derive(Debug, Clone, PartialEq)]
pub struct Core {
    /// (d_{k−1}, i_k, j_k, d_k).
    pub dims: [usize; 4],
    /// Row-major in the order of `dims`.
    pub data: Vec<f64>,
}

impl Core {
    /// \[d_{k−1}, n_k·d_k\].
    pub(super) fn wide(&self) -> MatRef<'_, f64> {
        view(&self.data, self.dims[0])
    }

    /// \[d_{k−1}·n_k, d_k\].
    pub(super) fn tall(&self) -> MatRef<'_, f64> {
        view(&self.data, self.data.len() / self.dims[3])
    }

    /// n_k = i_k·j_k.
    pub(super) fn external(&self) -> usize {
        self.dims[1] * self.dims[2]
    }
}

/// A matrix as a chain of cores: they fit each other and the matrix, and are finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Mpo {
    shape: Shape,
    rows: usize,
    cols: usize,
    cores: Vec<Core>,
}

impl Mpo {
    /// A chain from its cores, for a matrix of `rows`×`cols` (less than the factors' products if it is padded). Bonds may
    /// have any dimension.
    ///
    /// # Errors
    /// [`MpoError`] if neighbouring cores do not fit, the factors do not fit the matrix, or a value is not finite.
    pub fn from_cores(rows: usize, cols: usize, cores: Vec<Core>) -> Result<Self, MpoError> {
        let mut bond = 1;
        for (k, Core { dims, data }) in cores.iter().enumerate() {
            let last = k + 1 == cores.len();
            let size = dims.iter().try_fold(1usize, |size, &dim| size.checked_mul(dim));
            let fits = dims[0] == bond && dims[3] > 0 && size == Some(data.len()) && (!last || dims[3] == 1);
            if !fits {
                return Err(MpoError::Chain { index: k + 1, dims: *dims, found: data.len(), bond });
            }
            if let Some(flat) = data.iter().position(|x| !x.is_finite()) {
                let [_, i, j, right] = *dims;
                let at = [flat / (i * j * right), flat / (j * right) % i, flat / right % j, flat % right];
                return Err(MpoError::CoreNotFinite { index: k + 1, at, value: data[flat].to_string() });
            }
            bond = dims[3];
        }
        let factors = |axis: usize| cores.iter().map(|core| core.dims[axis]).collect();
        let shape = Shape::new(factors(1), factors(2))?;
        shape.check(rows, cols)?;
        Ok(Self { shape, rows, cols, cores })
    }

    /// The factors.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Rows of the matrix, without padding.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns of the matrix, without padding.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// T₁…T_m.
    pub fn cores(&self) -> &[Core] {
        &self.cores
    }

    /// For sweeps, which keep the chain a chain.
    pub(super) fn cores_mut(&mut self) -> &mut [Core] {
        &mut self.cores
    }

    /// d₁…d_{m−1} as they are: smaller than [`Shape::bonds`] after truncation.
    pub fn bonds(&self) -> Vec<usize> {
        self.cores.iter().skip(1).map(|core| core.dims[0]).collect()
    }

    /// Number of values in all cores.
    pub fn parameters(&self) -> usize {
        self.cores.iter().map(|core| core.data.len()).sum()
    }
}
