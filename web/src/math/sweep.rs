//! TT-SVD with all its intermediate results (Oseledets 2011, algorithm 1; OPF algorithm 2): the same cores as
//! [`overfold::mpo::decompose`] in the left gauge.

use overfold::mpo::{MpoError, Shape, interleave, matrix_product};

use super::linalg::{Svd, distance, norm};

/// One cut of the sweep.
#[derive(Debug, Clone)]
pub struct Cut {
    /// The unfolding that is decomposed: d_{k−1}·n_k rows.
    pub rows: usize,
    /// The remaining n_{k+1}…n_m columns.
    pub cols: usize,
    /// Singular values, as many as the bond is wide.
    pub s: Vec<f64>,
    /// The core A_k, row-major d_{k−1}×i_k×j_k×d_k.
    pub core: Vec<f64>,
    /// ‖ΛVᵀ‖, what is carried on.
    pub carried: f64,
}

/// All cuts, and the last core.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// The factors.
    pub shape: Shape,
    /// One for each bond.
    pub cuts: Vec<Cut>,
    /// The last core: what was carried to the end.
    pub last: Vec<f64>,
    /// ‖W − W′‖ for the product W′ of all cores.
    pub error: f64,
}

impl Sweep {
    /// Of a row-major matrix.
    ///
    /// # Errors
    /// [`MpoError`] if the shape does not fit or the matrix is not finite.
    pub fn of(w: &[f64], rows: usize, cols: usize, shape: &Shape) -> Result<Self, MpoError> {
        shape.check(rows, cols)?;
        let x = interleave(w, rows, cols, shape);
        let mut carry = x.clone();
        let mut cuts: Vec<Cut> = Vec::new();
        let mut bond = 1;
        for n in shape.external().take(shape.order() - 1) {
            let (rows, cols) = (bond * n, carry.len() / (bond * n));
            let svd = Svd::of(&carry, rows, cols)?;
            bond = svd.s.len();
            cuts.push(Cut { rows, cols, carried: norm(&svd.svt), core: svd.u, s: svd.s });
            carry = svd.svt;
        }
        let mut product = vec![1.0];
        for (k, core) in cuts.iter().map(|cut| &cut.core).chain([&carry]).enumerate() {
            let bond = if k == 0 { 1 } else { cuts[k - 1].s.len() };
            product = matrix_product(&product, core, product.len() / bond, bond, core.len() / bond);
        }
        Ok(Self { shape: shape.clone(), cuts, last: carry, error: distance(&product, &x) })
    }
}

#[cfg(test)]
mod tests {
    use overfold::mpo::{Gauge, decompose, spectra};

    use super::*;
    use crate::math::linalg::Random;

    #[test]
    fn the_cuts_are_those_of_the_library() {
        let w = Random::new(5).normals(24 * 12);
        let shape: Shape = "2,3,4 x 3,2,2".parse().unwrap();
        let sweep = Sweep::of(&w, 24, 12, &shape).unwrap();
        let mpo = decompose(&w, 24, 12, &shape, Gauge::Left).unwrap();
        for (cut, core) in sweep.cuts.iter().zip(mpo.cores()) {
            assert!(distance(&cut.core, &core.data) < 1e-12);
            assert!((cut.carried - norm(&w)).abs() < 1e-12);
        }
        assert!(distance(&sweep.last, &mpo.cores()[2].data) < 1e-12);
        for (cut, s) in sweep.cuts.iter().zip(spectra(&w, 24, 12, &shape).unwrap()) {
            assert!(distance(&cut.s, &s) < 1e-12);
        }
    }
}
