//! How far, and where, the first step of an optimizer on the cores moves the matrix: to first order in the learning rate,
//! and per unit of it.

use overfold::mpo::{Mpo, matrix_product};

use super::linalg::transpose;

/// Adam's ε.
const EPSILON: f64 = 1e-8;

/// The change of the matrix (interleaved) by one step on all cores.
#[derive(Debug, Clone)]
pub struct FirstStep {
    /// Gradient descent.
    pub sgd: Vec<f64>,
    /// Adam, whose first step is −g/(|g| + ε) in every number.
    pub adam: Vec<f64>,
}

/// Of a chain, for the gradient G = ∂L/∂W in interleaved order. With the products P of all cores left of core k and S of
/// all cores right of it, ∂L/∂T_k = Pᵀ·G·Sᵀ, and a change δ of the core changes the matrix by P·δ·S.
pub fn first_step(mpo: &Mpo, gradient: &[f64]) -> FirstStep {
    let (prefix, suffix) = environments(mpo);
    let total = gradient.len();
    let (mut sgd, mut adam) = (vec![0.0; total], vec![0.0; total]);
    for (k, core) in mpo.cores().iter().enumerate() {
        let [left, i, j, right] = core.dims;
        let before = prefix[k].len() / left;
        let after = suffix[k].len() / right;
        let n = i * j;
        let pulled = matrix_product(&transpose(&prefix[k], before, left), gradient, left, before, n * after);
        let g = matrix_product(&pulled, &transpose(&suffix[k], right, after), left * n, after, right);
        let push = |delta: Vec<f64>, sum: &mut [f64]| {
            let half = matrix_product(&prefix[k], &delta, before, left, n * right);
            let change = matrix_product(&half, &suffix[k], before * n, right, after);
            sum.iter_mut().zip(change).for_each(|(sum, x)| *sum += x);
        };
        push(g.iter().map(|g| -g).collect(), &mut sgd);
        push(g.iter().map(|g| -g / (g.abs() + EPSILON)).collect(), &mut adam);
    }
    FirstStep { sgd, adam }
}

/// For each core the product of the cores left of it, `[n₁…n_{k−1}, d_{k−1}]`, and of those right of it.
fn environments(mpo: &Mpo) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
    let cores = mpo.cores();
    let mut prefix = vec![vec![1.0]];
    for core in &cores[..cores.len() - 1] {
        let last = &prefix[prefix.len() - 1];
        let [left, _, _, _] = core.dims;
        prefix.push(matrix_product(last, &core.data, last.len() / left, left, core.data.len() / left));
    }
    let mut suffix = vec![vec![1.0]];
    for core in cores[1..].iter().rev() {
        let last = &suffix[suffix.len() - 1];
        let right = core.dims[3];
        suffix.push(matrix_product(&core.data, last, core.data.len() / right, right, last.len() / right));
    }
    suffix.reverse();
    (prefix, suffix)
}

#[cfg(test)]
mod tests {
    use overfold::mpo::{Core, Gauge, Shape, decompose, interleave};

    use super::*;
    use crate::math::linalg::{Random, distance, norm};

    #[test]
    fn the_step_is_what_finite_differences_say() {
        let mut random = Random::new(8);
        let (w, g) = (random.normals(24 * 12), random.normals(24 * 12));
        let shape: Shape = "2,3,4 x 3,2,2".parse().unwrap();
        let mpo = decompose(&w, 24, 12, &shape, Gauge::Symmetric).unwrap();
        let found = first_step(&mpo, &interleave(&g, 24, 12, &shape));
        // The gradient of L = ⟨G, W⟩ with respect to every number of every core, by differences.
        let loss = |cores: Vec<Core>| {
            let w = Mpo::from_cores(24, 12, cores).unwrap().contract();
            w.iter().zip(&g).map(|(w, g)| w * g).sum::<f64>()
        };
        let step = 1e-5;
        let mut moved = mpo.cores().to_vec();
        for k in 0..3 {
            for at in 0..moved[k].data.len() {
                let at_shift = |shift: f64| {
                    let mut cores = mpo.cores().to_vec();
                    cores[k].data[at] += shift;
                    loss(cores)
                };
                let slope = (at_shift(step) - at_shift(-step)) / (2.0 * step);
                moved[k].data[at] -= 1e-6 * slope;
            }
        }
        let after = Mpo::from_cores(24, 12, moved).unwrap().contract();
        let change: Vec<f64> = after.iter().zip(&w).map(|(a, b)| (a - b) / 1e-6).collect();
        let change = interleave(&change, 24, 12, &shape);
        assert!(distance(&change, &found.sgd) < 1e-3 * norm(&found.sgd));
        assert!(norm(&found.adam) > 0.0);
    }

    #[test]
    fn the_sgd_step_of_the_papers_factors_has_a_closed_form() {
        // With X = A·1·…·1·B, A = U√Λ, B = √ΛVᵀ: −(G·BᵀB + AAᵀ·G + (m − 2)·AAᵀ·G·BᵀB).
        let mut random = Random::new(4);
        let (w, g) = (random.normals(144), random.normals(144));
        let shape: Shape = "4,1,1,3 x 3,1,1,4".parse().unwrap();
        let mpo = decompose(&w, 12, 12, &shape, Gauge::Symmetric).unwrap();
        let g = interleave(&g, 12, 12, &shape);
        let (a, b) = (&mpo.cores()[0].data, &mpo.cores()[3].data);
        let product = |x: &[f64], y: &[f64]| matrix_product(x, y, 12, 12, 12);
        let (aa, bb) = (product(a, &transpose(a, 12, 12)), product(&transpose(b, 12, 12), b));
        let (left, right) = (product(&aa, &g), product(&g, &bb));
        let both = product(&left, &bb);
        let wanted: Vec<f64> = (0..144).map(|k| -(right[k] + left[k] + 2.0 * both[k])).collect();
        assert!(distance(&first_step(&mpo, &g).sgd, &wanted) < 1e-12 * norm(&wanted));
    }
}
