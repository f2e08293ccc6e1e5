//! Folding: the product of all cores, from the end that costs fewer operations.

use faer::{Mat, MatRef};

use super::Mpo;
use super::interleave::deinterleave;

/// What a contraction costs, known before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Floating-point operations, a multiplication and an addition being two.
    pub flops: u64,
    /// Largest number of f64 bytes alive at once, cores not counted.
    pub peak_bytes: u64,
    /// Whether the cheaper end is the left one.
    pub from_left: bool,
}

impl Cost {
    /// Of the cheaper end, for cores of these dimensions.
    pub(super) fn of(dims: &[[usize; 4]]) -> Self {
        let left = one_way(dims.iter().map(|d| (d[0], d[1] * d[2], d[3])), true);
        let right = one_way(dims.iter().rev().map(|d| (d[3], d[1] * d[2], d[0])), false);
        if left.flops <= right.flops { left } else { right }
    }
}

/// `dims`: (inner bond, external size, outer bond) in the order of the contraction.
fn one_way(dims: impl Iterator<Item = (usize, usize, usize)>, from_left: bool) -> Cost {
    let (mut flops, mut peak_bytes, mut outer) = (0, 0, 0);
    for (index, (inner, n, right)) in dims.enumerate() {
        let (inner, n, right) = (inner as u64, n as u64, right as u64);
        if index == 0 {
            outer = n;
            peak_bytes = 8 * n * right;
            continue;
        }
        flops += 2 * outer * inner * n * right;
        // The product so far, and the next one.
        peak_bytes = peak_bytes.max(8 * outer * (inner + n * right));
        outer *= n;
    }
    Cost { flops, peak_bytes, from_left }
}

impl Mpo {
    /// Operations and memory of [`Self::contract`].
    pub fn contraction_cost(&self) -> Cost {
        let dims: Vec<[usize; 4]> = self.cores().iter().map(|core| core.dims).collect();
        Cost::of(&dims)
    }

    /// The matrix, row-major `rows`×`cols`, padding removed.
    pub fn contract(&self) -> Vec<f64> {
        deinterleave(&self.contract_interleaved(), self.rows(), self.cols(), self.shape())
    }

    /// The interleaved tensor X\[(i₁,j₁),…,(i_m,j_m)\].
    pub(super) fn contract_interleaved(&self) -> Vec<f64> {
        let from_left = self.contraction_cost().from_left;
        let cores = self.cores();
        let count = cores.len();
        let core = |step: usize| if from_left { &cores[step] } else { &cores[count - 1 - step] };
        let mut product = core(0).data.clone();
        for step in 1..count {
            let [left, _, _, right] = core(step).dims;
            let factor = if from_left { core(step).matrix(left) } else { core(step).matrix(core(step).data.len() / right) };
            let next = if from_left {
                MatRef::from_row_major_slice(&product, product.len() / left, left) * factor
            } else {
                factor * MatRef::from_row_major_slice(&product, right, product.len() / right)
            };
            product = to_row_major(&next);
        }
        product
    }
}

/// The values of a matrix, row by row.
pub(super) fn to_row_major(matrix: &Mat<f64>) -> Vec<f64> {
    (0..matrix.nrows()).flat_map(|r| (0..matrix.ncols()).map(move |c| matrix[(r, c)])).collect()
}
