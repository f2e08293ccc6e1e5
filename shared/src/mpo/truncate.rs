//! Compression: smaller bonds at a known error. (OPF does not truncate; MPOP does.)

use super::canonical::replace_right;
use super::dense::{norm, tabulate, threads};
use super::svd::svd;
use super::{Core, Mpo};

/// How much to keep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Truncation {
    /// At most this bond dimension, at least 1.
    Rank(usize),
    /// A proven error of at most this fraction of ‖W‖_F: the smallest singular values of all bonds go first. Negative
    /// or NaN drops nothing that has weight.
    Error(f64),
}

/// A truncated chain with its error.
#[derive(Debug, Clone)]
pub struct Truncated {
    /// The smaller chain, its first core the orthogonality center.
    pub mpo: Mpo,
    /// The proven bound √Σ_k ε_k², in the unit of the matrix, with ε_k² the sum of the squared singular values of the
    /// original matrix at bond k beyond the new bond dimension (OPF theorem 1; Oseledets 2011, theorem 2.2). Bonds
    /// joined by a core with a 1×1 factor are one and the same unfolding, and count once.
    pub bound: f64,
    /// ‖W − W′‖_F as it came out, padding included, in the unit of the matrix.
    pub error: f64,
    /// ‖W‖_F.
    pub norm: f64,
}

impl Truncated {
    /// `bound` as a fraction of ‖W‖_F; 0 for a zero matrix.
    pub fn relative_bound(&self) -> f64 {
        if self.norm > 0.0 { self.bound / self.norm } else { 0.0 }
    }

    /// `error` as a fraction of ‖W‖_F; 0 for a zero matrix.
    pub fn relative_error(&self) -> f64 {
        if self.norm > 0.0 { self.error / self.norm } else { 0.0 }
    }
}

impl Mpo {
    /// Truncates every bond, each at the orthogonality center, so that what is dropped is what is lost.
    pub fn truncate(&self, truncation: Truncation) -> Truncated {
        let mut chain = self.clone();
        let spectra = chain.sweep_to_last();
        let plan = Plan::new(&spectra, chain.cores());
        let norm_of = |core: Option<&Core>| core.map_or(0.0, |core| norm(core.data.iter().copied()));
        let total = norm_of(chain.cores().last());
        let keep = match truncation {
            Truncation::Rank(rank) => plan.values.iter().map(|values| rank.clamp(1, values.len().max(1))).collect(),
            Truncation::Error(relative) => plan.within(relative.max(0.0) * total),
        };
        let bound = plan.bound(&keep);
        let par = threads();
        let cores = chain.cores_mut();
        for k in (1..cores.len()).rev() {
            let found = svd(cores[k].wide(), par);
            let width = keep[plan.group[k - 1]].min(found.s.len());
            let core = tabulate(width, found.v.nrows(), |r, c| found.v[(c, r)]);
            let carry = faer::Mat::from_fn(found.u.nrows(), width, |r, c| found.u[(r, c)] * found.s[c]);
            replace_right(cores, k, core, carry.as_ref(), par);
        }
        let (before, after) = (self.contract_interleaved(), chain.contract_interleaved());
        let error = norm(before.iter().zip(&after).map(|(a, b)| a - b));
        Truncated { mpo: chain, bound, error, norm: total }
    }
}

/// Distinct unfoldings.
struct Plan<'a> {
    /// The unfolding of each bond.
    group: Vec<usize>,
    /// The singular values of each unfolding.
    values: Vec<&'a [f64]>,
}

impl<'a> Plan<'a> {
    fn new(spectra: &'a [Vec<f64>], cores: &[Core]) -> Self {
        let (mut group, mut values): (Vec<usize>, Vec<&[f64]>) = (Vec::new(), Vec::new());
        for (bond, spectrum) in spectra.iter().enumerate() {
            if bond == 0 || cores[bond].external() > 1 {
                values.push(spectrum);
            }
            group.push(values.len() - 1);
        }
        Self { group, values }
    }

    /// √Σε² if unfolding g keeps `keep[g]` singular values.
    fn bound(&self, keep: &[usize]) -> f64 {
        norm(self.values.iter().zip(keep).flat_map(|(values, &keep)| &values[keep.min(values.len())..]).copied())
    }

    /// The numbers to keep such that the bound is at most `error`, dropping the smallest values first.
    fn within(&self, error: f64) -> Vec<usize> {
        // The largest value of each unfolding stays: no bond is narrower than 1.
        let mut candidates: Vec<(f64, usize)> = Vec::new();
        for (group, values) in self.values.iter().enumerate() {
            candidates.extend(values.iter().skip(1).map(|&s| (s, group)));
        }
        candidates.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut keep: Vec<usize> = self.values.iter().map(|values| values.len()).collect();
        let mut lost = 0.0f64;
        for (value, group) in candidates {
            lost = lost.hypot(value);
            if lost > error {
                break;
            }
            keep[group] -= 1;
        }
        keep
    }
}
