//! Folding: the product of all cores, from the end that costs fewer operations.

use super::Mpo;
use super::dense::{multiply, threads, view};
use super::interleave::deinterleave;

/// What a contraction costs, known before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Floating-point operations, a multiplication and an addition being two.
    pub flops: u64,
    /// Largest number of bytes of f64 intermediates and result alive at once, cores not counted.
    pub peak_bytes: u64,
    /// Whether the cheaper end is the left one.
    pub from_left: bool,
}

impl Cost {
    /// Of the cheaper end, for cores of these dimensions and a matrix of `dense` values.
    pub(super) fn of(dims: &[[usize; 4]], dense: usize) -> Self {
        let left = one_way(dims.iter().map(|d| [d[0], d[1] * d[2], d[3]]), dense, true);
        let right = one_way(dims.iter().rev().map(|d| [d[3], d[1] * d[2], d[0]]), dense, false);
        if left.flops <= right.flops { left } else { right }
    }
}

/// `dims`: inner bond, external size, outer bond in the order of the contraction.
fn one_way(dims: impl Iterator<Item = [usize; 3]>, dense: usize, from_left: bool) -> Cost {
    let (mut flops, mut peak, mut external, mut held) = (0u64, 0u64, 1u64, 0u64);
    for [inner, n, outer] in dims.map(|dims| dims.map(|dim| dim as u64)) {
        // The first core is copied.
        let next = external.saturating_mul(n).saturating_mul(outer);
        if held > 0 {
            flops = flops.saturating_add(next.saturating_mul(2 * inner));
        }
        peak = peak.max(held.saturating_add(next));
        (external, held) = (external * n, next);
    }
    // Last, the indices are put in order.
    peak = peak.max(held.saturating_add(dense as u64));
    Cost { flops, peak_bytes: peak.saturating_mul(8), from_left }
}

impl Mpo {
    /// Operations and memory of [`Self::contract`].
    pub fn contraction_cost(&self) -> Cost {
        let dims: Vec<[usize; 4]> = self.cores().iter().map(|core| core.dims).collect();
        Cost::of(&dims, self.rows() * self.cols())
    }

    /// The matrix, row-major `rows`×`cols`, padding removed (OPF eq. 9).
    pub fn contract(&self) -> Vec<f64> {
        deinterleave(&self.contract_interleaved(), self.rows(), self.cols(), self.shape())
    }

    /// The interleaved tensor X\[(i₁,j₁),…,(i_m,j_m)\].
    pub(super) fn contract_interleaved(&self) -> Vec<f64> {
        let cores = self.cores();
        let (last, par) = (cores.len() - 1, threads());
        if self.contraction_cost().from_left {
            let first = cores[0].data.clone();
            // [N, d]·[d, n·d′] = [N·n, d′].
            let step = |product: Vec<f64>, core: &super::Core| {
                multiply(view(&product, product.len() / core.dims[0]), core.wide(), par)
            };
            cores[1..].iter().fold(first, step)
        } else {
            let first = cores[last].data.clone();
            let step = |product: Vec<f64>, core: &super::Core| multiply(core.tall(), view(&product, core.dims[3]), par);
            cores[..last].iter().rev().fold(first, step)
        }
    }
}
