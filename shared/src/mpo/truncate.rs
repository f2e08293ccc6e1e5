//! Compression: smaller bonds at a known error. (OPF does not truncate; MPOP does.)

use faer::MatRef;

use super::contract::to_row_major;
use super::svd::svd;
use super::{Core, Mpo};

/// How much to keep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Truncation {
    /// At most this bond dimension, at least 1.
    Rank(usize),
    /// The smallest bonds whose proven error stays below this fraction of ‖W‖_F.
    Error(f64),
}

/// A truncated chain with its error.
#[derive(Debug, Clone)]
pub struct Truncated {
    /// The smaller chain.
    pub mpo: Mpo,
    /// The proven bound √Σ_k ε_k², with ε_k² the sum of the squared singular values dropped at bond k (OPF theorem 1).
    pub bound: f64,
    /// ‖W − W′‖_F as it came out, padding included.
    pub error: f64,
    /// ‖W‖_F.
    pub norm: f64,
}

impl Mpo {
    /// Makes all cores but the first orthogonal from the right: the first becomes the orthogonality center.
    pub(super) fn move_center_to_first(&mut self) {
        let mut cores = self.cores().to_vec();
        for k in (1..cores.len()).rev() {
            let [left, i, j, right] = cores[k].dims;
            // T = U·S·Vᵀ: Vᵀ stays, U·S goes to the left.
            let found = svd(cores[k].matrix(left));
            let rank = found.s.len();
            let data = (0..rank).flat_map(|r| (0..i * j * right).map(move |c| (r, c))).map(|(r, c)| found.v[(c, r)]).collect();
            cores[k] = Core { dims: [rank, i, j, right], data };
            let carry: Vec<f64> = (0..left).flat_map(|r| (0..rank).map(move |c| (r, c))).map(|(r, c)| found.u[(r, c)] * found.s[c]).collect();
            let before = &cores[k - 1];
            let rows = before.data.len() / left;
            let product = before.matrix(rows) * MatRef::from_row_major_slice(&carry, left, rank);
            let [l, i, j, _] = before.dims;
            cores[k - 1] = Core { dims: [l, i, j, rank], data: to_row_major(&product) };
        }
        *self = self.with_cores(cores);
    }

    /// Truncates every bond, each at the orthogonality center, so that what is dropped is what is lost.
    pub fn truncate(&self, truncation: Truncation) -> Truncated {
        let mut chain = self.clone();
        chain.move_center_to_first();
        let mut cores = chain.cores().to_vec();
        let norm = cores[0].data.iter().map(|x| x * x).sum::<f64>().sqrt();
        let bonds = cores.len().saturating_sub(1).max(1) as f64;
        let mut dropped = 0.0;
        for k in 0..cores.len() - 1 {
            let [left, i, j, right] = cores[k].dims;
            let found = svd(cores[k].matrix(left * i * j));
            let keep = match truncation {
                Truncation::Rank(rank) => rank.clamp(1, found.s.len()),
                // Each bond may lose an equal share of the squared error.
                Truncation::Error(relative) => keep_for_error(&found.s, (relative * norm).powi(2) / bonds),
            };
            dropped += found.s[keep..].iter().map(|s| s * s).sum::<f64>();
            let rows = left * i * j;
            let data = (0..rows).flat_map(|r| (0..keep).map(move |c| (r, c))).map(|(r, c)| found.u[(r, c)]).collect();
            cores[k] = Core { dims: [left, i, j, keep], data };
            let carry: Vec<f64> = (0..keep).flat_map(|r| (0..right).map(move |c| (r, c))).map(|(r, c)| found.s[r] * found.v[(c, r)]).collect();
            let product = MatRef::from_row_major_slice(&carry, keep, right) * cores[k + 1].matrix(right);
            let [_, i, j, right] = cores[k + 1].dims;
            cores[k + 1] = Core { dims: [keep, i, j, right], data: to_row_major(&product) };
        }
        let mpo = self.with_cores(cores);
        let pairs = self.contract_interleaved().into_iter().zip(mpo.contract_interleaved());
        let error = pairs.map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        Truncated { mpo, bound: dropped.sqrt(), error, norm }
    }
}

/// The fewest singular values, at least one, such that the squares of the others sum to at most `budget`.
fn keep_for_error(s: &[f64], budget: f64) -> usize {
    let mut keep = s.len();
    let mut lost = 0.0;
    while keep > 1 && lost + s[keep - 1].powi(2) <= budget {
        keep -= 1;
        lost += s[keep].powi(2);
    }
    keep
}
