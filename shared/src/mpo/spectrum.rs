//! Singular values on the bonds.

use super::dense::{threads, view};
use super::interleave::{interleave, validate};
use super::svd::singular_values;
use super::{Mpo, MpoError, Shape};

/// The singular values Λ of one bond, descending: those of the unfolding of the interleaved matrix at that bond. Bond `k`
/// (from 0) lies between cores `k` and `k + 1`; it is the paper's d_{k+1}.
///
/// # Errors
/// [`MpoError`] if the shape does not fit the matrix, the matrix is not finite, or there is no such bond.
pub fn spectrum(w: &[f64], rows: usize, cols: usize, shape: &Shape, bond: usize) -> Result<Vec<f64>, MpoError> {
    validate(w, rows, cols, shape)?;
    let order = shape.order();
    if bond + 1 >= order {
        return Err(MpoError::Index { what: "bond", index: bond, order, count: order - 1 });
    }
    let left = shape.external().take(bond + 1).product();
    Ok(singular_values(view(&interleave(w, rows, cols, shape), left), threads()))
}

/// The singular values of every bond, each descending.
///
/// # Errors
/// [`MpoError`] if the shape does not fit the matrix or the matrix is not finite.
pub fn spectra(w: &[f64], rows: usize, cols: usize, shape: &Shape) -> Result<Vec<Vec<f64>>, MpoError> {
    validate(w, rows, cols, shape)?;
    let x = interleave(w, rows, cols, shape);
    let (mut left, par) = (1, threads());
    let mut spectra: Vec<Vec<f64>> = Vec::new();
    for n in shape.external().take(shape.order() - 1) {
        left *= n;
        // A 1×1 factor does not change the unfolding.
        let same = if n == 1 { spectra.last().cloned() } else { None };
        spectra.push(same.unwrap_or_else(|| singular_values(view(&x, left), par)));
    }
    Ok(spectra)
}

impl Mpo {
    /// The singular values on every bond, from the cores alone, each descending; as many as the bond is wide, or fewer
    /// if it is wider than a neighbouring bond and external index allow.
    pub fn spectra(&self) -> Vec<Vec<f64>> {
        self.clone().sweep_to_last()
    }
}

/// Entanglement entropy −Σ p·ln p of a bond in nats, with p = λ²/Σλ²: 0 for a zero spectrum or a single value, at most
/// ln d.
///
/// MPOP (Gao et al., ACL 2021) prints −Σ v·ln v over the singular values themselves. Squares, normalized, are what the
/// word means in physics (the eigenvalues of the reduced density matrix), and do not change when the matrix is scaled.
pub fn entropy(spectrum: &[f64]) -> f64 {
    let largest = spectrum.iter().fold(0.0, |top: f64, s| top.max(*s));
    if largest == 0.0 {
        return 0.0;
    }
    // Relative to the largest, so that squares neither overflow nor vanish.
    let weights = || spectrum.iter().map(|s| (s / largest).powi(2));
    let total: f64 = weights().sum();
    // Not −0 for a single value.
    weights().map(|weight| weight / total).filter(|p| *p > 0.0).map(|p| -p * p.ln()).sum::<f64>().max(0.0)
}
