//! X and its inverse, for a bond: T_k·X and X⁻¹·T_{k+1} give the same matrix.

use overfold::mpo::{Core, Mpo, MpoError, matrix_product};

use super::linalg::{Random, transpose};
use crate::state::Kind;

/// An invertible matrix with its inverse, which is exact by construction: nothing is solved for.
#[derive(Debug, Clone)]
pub struct Transform {
    /// d.
    pub dim: usize,
    /// X, `[d, d]`.
    pub x: Vec<f64>,
    /// X⁻¹, `[d, d]`.
    pub inverse: Vec<f64>,
}

impl Transform {
    /// A random X of this kind. `strength` 0 is the identity; at 1 it turns by angles, and scales by powers of e, of
    /// the order of 1.
    pub fn new(kind: Kind, dim: usize, strength: f64, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let scales: Vec<f64> = random.normals(dim).iter().map(|z| (strength * z).exp()).collect();
        let q = rotation(dim, strength, &mut random);
        let one = |k: usize| if k / dim == k % dim { 1.0 } else { 0.0 };
        // Columns times scales; rows over scales.
        let scaled = |a: &[f64]| a.iter().enumerate().map(|(k, x)| x * scales[k % dim]).collect::<Vec<_>>();
        let unscaled = |a: &[f64]| a.iter().enumerate().map(|(k, x)| x / scales[k / dim]).collect::<Vec<_>>();
        let identity: Vec<f64> = (0..dim * dim).map(one).collect();
        let qt = transpose(&q, dim, dim);
        let (x, inverse) = match kind {
            Kind::Orthogonal => (q, qt),
            Kind::Diagonal => (scaled(&identity), unscaled(&identity)),
            Kind::Generic => (scaled(&q), unscaled(&qt)),
        };
        Self { dim, x, inverse }
    }

    /// The chain with X·X⁻¹ on bond `bond` (from 0).
    ///
    /// # Errors
    /// [`MpoError`] if the bond does not exist or has another dimension.
    pub fn insert(&self, mpo: &Mpo, bond: usize) -> Result<Mpo, MpoError> {
        let mut cores: Vec<Core> = mpo.cores().to_vec();
        let count = cores.len() - 1;
        if bond >= count {
            return Err(MpoError::Index { what: "bond", index: bond, order: cores.len(), count });
        }
        let d = self.dim;
        let (left, right) = (&mpo.cores()[bond], &mpo.cores()[bond + 1]);
        cores[bond].data = matrix_product(&left.data, &self.x, left.data.len() / d, d, d);
        cores[bond + 1].data = matrix_product(&self.inverse, &right.data, d, d, right.data.len() / d);
        Mpo::from_cores(mpo.rows(), mpo.cols(), cores)
    }
}

/// Rotations of random pairs of axes, one after the other.
fn rotation(dim: usize, strength: f64, random: &mut Random) -> Vec<f64> {
    let mut q = vec![0.0; dim * dim];
    (0..dim).for_each(|k| q[k * dim + k] = 1.0);
    if dim < 2 {
        return q;
    }
    for _ in 0..8 * dim {
        let a = (random.uniform() * dim as f64) as usize;
        let b = (a + 1 + (random.uniform() * (dim - 1) as f64) as usize) % dim;
        // By the tangent of half the angle.
        let t = 0.5 * strength * random.normal();
        let (sin, cos) = (2.0 * t / (1.0 + t * t), (1.0 - t * t) / (1.0 + t * t));
        for row in q.chunks_exact_mut(dim) {
            (row[a], row[b]) = (cos * row[a] - sin * row[b], sin * row[a] + cos * row[b]);
        }
    }
    q
}

#[cfg(test)]
mod tests {
    use overfold::mpo::{Gauge, Shape, decompose};

    use super::*;
    use crate::math::linalg::{distance, norm};

    #[test]
    fn the_inverse_is_the_inverse() {
        for kind in Kind::ALL {
            for dim in [1, 2, 7, 64] {
                let t = Transform::new(kind, dim, 1.0, 9);
                let product = matrix_product(&t.x, &t.inverse, dim, dim, dim);
                let mut one = vec![0.0; dim * dim];
                (0..dim).for_each(|k| one[k * dim + k] = 1.0);
                assert!(distance(&product, &one) < 1e-11, "{kind} {dim}");
                if kind == Kind::Orthogonal {
                    assert_eq!(t.inverse, transpose(&t.x, dim, dim));
                }
                assert_eq!(Transform::new(kind, dim, 0.0, 9).x, one, "{kind} {dim}: no strength");
            }
        }
    }

    #[test]
    fn the_matrix_stays() {
        let w = Random::new(6).normals(24 * 12);
        let shape: Shape = "2,3,4 x 3,2,2".parse().unwrap();
        let mpo = decompose(&w, 24, 12, &shape, Gauge::Symmetric).unwrap();
        for kind in Kind::ALL {
            for bond in 0..2 {
                let t = Transform::new(kind, mpo.bonds()[bond], 1.0, 2);
                let other = t.insert(&mpo, bond).unwrap();
                assert!(distance(&other.contract(), &w) < 1e-12 * norm(&w), "{kind} {bond}");
                assert!(distance(&other.cores()[bond].data, &mpo.cores()[bond].data) > 0.1);
            }
        }
        assert!(Transform::new(Kind::Generic, 6, 1.0, 2).insert(&mpo, 2).is_err());
    }
}
