//! Singular values on the bonds.

use faer::MatRef;

use super::contract::to_row_major;
use super::interleave::interleave;
use super::svd::svd;
use super::{Mpo, MpoError, Shape};

/// The singular values Λ_k of every bond, each descending: those of the k-th unfolding of the interleaved matrix.
///
/// # Errors
/// [`MpoError`] if the shape does not fit the matrix.
pub fn spectra(w: &[f64], rows: usize, cols: usize, shape: &Shape) -> Result<Vec<Vec<f64>>, MpoError> {
    shape.check(rows, cols)?;
    if w.len() != rows * cols {
        return Err(MpoError::Length { rows, cols, found: w.len() });
    }
    if let Some(at) = w.iter().position(|x| !x.is_finite()) {
        return Err(MpoError::NotFinite { row: at / cols, col: at % cols, value: w[at].to_string() });
    }
    Ok(of_interleaved(&interleave(w, rows, cols, shape), shape))
}

fn of_interleaved(x: &[f64], shape: &Shape) -> Vec<Vec<f64>> {
    let mut left = 1;
    let mut spectra: Vec<Vec<f64>> = Vec::new();
    for (k, n) in shape.external().enumerate() {
        left *= n;
        if k + 1 == shape.order() {
            break;
        }
        // A 1×1 factor does not change the unfolding.
        let same = if n == 1 { spectra.last().cloned() } else { None };
        spectra.push(same.unwrap_or_else(|| svd(MatRef::from_row_major_slice(x, left, x.len() / left)).s));
    }
    spectra
}

impl Mpo {
    /// The singular values on every bond, by the cores alone; after a truncation as many as the bond is wide.
    pub fn spectra(&self) -> Vec<Vec<f64>> {
        let mut chain = self.clone();
        chain.move_center_to_first();
        let mut spectra = Vec::new();
        // Sweep the orthogonality center to the right: its singular values at each bond are the bond's.
        let mut center: Option<Vec<f64>> = None;
        for core in &chain.cores()[..chain.cores().len().saturating_sub(1)] {
            let [left, i, j, right] = core.dims;
            let data = match center {
                None => core.data.clone(),
                Some(carry) => {
                    to_row_major(&(MatRef::from_row_major_slice(&carry, carry.len() / left, left) * core.matrix(left)))
                }
            };
            let rows = data.len() / right;
            debug_assert!(rows.is_multiple_of(i * j));
            let found = svd(MatRef::from_row_major_slice(&data, rows, right));
            let rank = found.s.len();
            center = Some((0..rank).flat_map(|r| (0..right).map(move |c| (r, c))).map(|(r, c)| found.s[r] * found.v[(c, r)]).collect());
            spectra.push(found.s);
        }
        spectra
    }
}

/// Entanglement entropy −Σ p·ln p of a bond, with p = λ²/Σλ²; 0 for a zero spectrum, at most ln d.
///
/// MPOP (Gao et al., ACL 2021) prints −Σ v·ln v over the values themselves; squares, normalized, are what the word means
/// in physics, and do not change when the matrix is scaled.
pub fn entropy(spectrum: &[f64]) -> f64 {
    let total: f64 = spectrum.iter().map(|s| s * s).sum();
    if total == 0.0 {
        return 0.0;
    }
    let probabilities = spectrum.iter().map(|s| s * s / total).filter(|p| *p > 0.0);
    // Not −0 for a single value.
    probabilities.map(|p| -p * p.ln()).sum::<f64>().max(0.0)
}
