//! Moving the orthogonality center along a chain.

use faer::{MatRef, Par};

use super::dense::{multiply, tabulate, threads, view};
use super::svd::{orthogonalize, svd};
use super::{Core, Mpo, MpoError};

impl Mpo {
    /// Makes core `center` (from 0) the orthogonality center: the cores before it become orthogonal from the left, those
    /// after it from the right, and ‖W‖_F (padded) is the norm of that core. The matrix stays the same; bonds wider than
    /// the external indices on one side of them allow (none in a full chain) shrink to that.
    ///
    /// # Errors
    /// [`MpoError::Index`] if there is no such core.
    pub fn canonicalize(&mut self, center: usize) -> Result<(), MpoError> {
        let order = self.cores().len();
        if center >= order {
            return Err(MpoError::Index { what: "core", index: center, order, count: order });
        }
        let par = threads();
        let cores = self.cores_mut();
        (0..center).for_each(|k| push_right(cores, k, par));
        (center + 1..order).rev().for_each(|k| push_left(cores, k, par));
        Ok(())
    }

    /// Sweeps the orthogonality center from the first core to the last, and returns the singular values at every bond.
    pub(super) fn sweep_to_last(&mut self) -> Vec<Vec<f64>> {
        let par = threads();
        let cores = self.cores_mut();
        (1..cores.len()).rev().for_each(|k| push_left(cores, k, par));
        let mut spectra: Vec<Vec<f64>> = Vec::with_capacity(cores.len().saturating_sub(1));
        for k in 0..cores.len() - 1 {
            match spectra.last() {
                // A 1×1 factor does not change the unfolding, so neither its singular values: a QR will do.
                Some(before) if cores[k].external() == 1 => {
                    let same = before.iter().copied().take(cores[k].dims[3]).collect();
                    push_right(cores, k, par);
                    spectra.push(same);
                }
                _ => {
                    let found = svd(cores[k].tall(), par);
                    replace_left(cores, k, found.left(), found.weighted_right(), par);
                    spectra.push(found.s);
                }
            }
        }
        spectra
    }
}

/// Core `k` becomes orthogonal from the left; what remains is multiplied into the next.
fn push_right(cores: &mut [Core], k: usize, par: Par) {
    let (q, r) = orthogonalize(cores[k].tall(), par);
    replace_left(cores, k, q, r, par);
}

/// Core `k` becomes orthogonal from the right; what remains is multiplied into the one before.
fn push_left(cores: &mut [Core], k: usize, par: Par) {
    // Tᵀ = Q·R, so T = Rᵀ·Qᵀ.
    let (q, r) = orthogonalize(cores[k].wide().transpose(), par);
    let (left, width) = (cores[k].dims[0], cores[k].data.len() / cores[k].dims[0]);
    let core = transposed(&q, width);
    let carry = view(&r, r.len() / left);
    replace_right(cores, k, core, carry.transpose(), par);
}

/// Core `k` becomes `core`, and the next is multiplied by `carry` (row-major, `[new bond, old bond]`) from the left.
pub(super) fn replace_left(cores: &mut [Core], k: usize, core: Vec<f64>, carry: Vec<f64>, par: Par) {
    let bond = carry.len() / cores[k].dims[3];
    cores[k].data = core;
    cores[k].dims[3] = bond;
    cores[k + 1].data = multiply(view(&carry, bond), cores[k + 1].wide(), par);
    cores[k + 1].dims[0] = bond;
}

/// Core `k` becomes `core`, and the one before is multiplied by `carry` (`[old bond, new bond]`) from the right.
pub(super) fn replace_right(cores: &mut [Core], k: usize, core: Vec<f64>, carry: MatRef<'_, f64>, par: Par) {
    let bond = carry.ncols();
    cores[k].data = core;
    cores[k].dims[0] = bond;
    cores[k - 1].data = multiply(cores[k - 1].tall(), carry, par);
    cores[k - 1].dims[3] = bond;
}

fn transposed(values: &[f64], rows: usize) -> Vec<f64> {
    let matrix = view(values, rows);
    tabulate(matrix.ncols(), rows, |r, c| matrix[(c, r)])
}
