//! Unfolding: from a matrix to cores, in any gauge, without loss and without an inverse.

use faer::{Mat, Par};

use super::dense::{identity, multiply, tabulate, threads, view};
use super::interleave::{interleave, validate};
use super::svd::{Svd, svd};
use super::{Core, Gauge, Mpo, MpoError, Shape};

/// Singular values at or below this fraction of a bond's largest are rounding errors: their channels become exact zeros
/// where a power of them would blow them up (√10⁻¹⁷ is 3·10⁻⁹). That changes W by 16ε·√Σd_k at most, relative to ‖W‖.
const NEGLIGIBLE: f64 = 16.0 * f64::EPSILON;

/// One matrix for [`decompose_all`].
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// Row-major `rows`×`cols`.
    pub w: &'a [f64],
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
    /// Factors.
    pub shape: &'a Shape,
    /// Gauge.
    pub gauge: Gauge,
}

/// Unfolds `w`, row-major `rows`×`cols` (the `[out, in]` of a linear layer), into a chain at full bond dimensions (OPF
/// algorithm 2, without its inverses).
///
/// A sweep of SVDs from the left gives, at each bond, Λ_k, V_k and the left-orthogonal core A_k = (U_{k−1} ⊗ 1)ᵀ·U_k.
/// [`Gauge::Left`] is that sweep and [`Gauge::Right`] its mirror image. The others are
///
/// T_k = Λ_{k−1}^(−a′)·A_k·Λ_k^a
///
/// with the exponents a′, a of the [`Gauge`] at the two bonds. The power of Λ_{k−1} is negative, but
/// A_k·Λ_k = Λ_{k−1}·B_k with B_k = V_{k−1}ᵀ·(1 ⊗ V_k): taking A_k where λ_k ≤ λ_{k−1} and B_k elsewhere leaves only
/// ratios that are at most 1, and channels without weight are zero. So rank-deficient, padded and zero matrices come
/// out exactly, at the same bond dimensions (OPF eq. 8) as any other.
///
/// A core with a 1×1 factor between two others connects two equal bonds: it is exactly Λ^(a−a′), the identity except
/// in the balanced gauge, and costs no SVD. The paper's shapes need a single one. Signs are deterministic: the largest
/// entry of each column of A_k is positive.
///
/// # Errors
/// [`MpoError`] if the shape does not fit or the matrix is not finite.
pub fn decompose(w: &[f64], rows: usize, cols: usize, shape: &Shape, gauge: Gauge) -> Result<Mpo, MpoError> {
    decompose_with(&Job { w, rows, cols, shape, gauge }, threads())
}

/// [`decompose`] for many matrices, several at a time: with the feature `parallel` one thread takes one matrix, which is
/// faster than all threads on each in turn. Results in the order of the jobs.
pub fn decompose_all(jobs: &[Job<'_>]) -> Vec<Result<Mpo, MpoError>> {
    #[cfg(feature = "parallel")]
    {
        use rayon::prelude::*;
        // One at a time off a common queue: sizes differ, and a thread should not sit on the last few large ones.
        jobs.par_iter().with_max_len(1).map(|job| decompose_with(job, Par::Seq)).collect()
    }
    #[cfg(not(feature = "parallel"))]
    jobs.iter().map(|job| decompose_with(job, Par::Seq)).collect()
}

fn decompose_with(job: &Job<'_>, par: Par) -> Result<Mpo, MpoError> {
    let Job { w, rows, cols, shape, gauge } = *job;
    validate(w, rows, cols, shape)?;
    let x = interleave(w, rows, cols, shape);
    let dims = shape.core_dims();
    let cores = match gauge {
        _ if dims.len() == 1 => vec![x],
        Gauge::Left => sweep_right(x, &dims, par),
        Gauge::Right => sweep_left(x, &dims, par),
        Gauge::Symmetric | Gauge::Balanced => share(x, &dims, gauge, par),
    };
    let cores = dims.into_iter().zip(cores).map(|(dims, data)| Core { dims, data });
    Mpo::from_cores(rows, cols, cores.collect())
}

/// Whether core `k` lies between two equal bonds.
fn is_link(dims: &[[usize; 4]], k: usize) -> bool {
    k > 0 && k + 1 < dims.len() && dims[k][1] * dims[k][2] == 1
}

/// U₁, A₂, …, Λ·Vᵀ.
fn sweep_right(x: Vec<f64>, dims: &[[usize; 4]], par: Par) -> Vec<Vec<f64>> {
    let mut cores = Vec::with_capacity(dims.len());
    let mut carry = x;
    for (k, &[left, i, j, _]) in dims.iter().enumerate().take(dims.len() - 1) {
        if is_link(dims, k) {
            cores.push(identity(left));
            continue;
        }
        let found = svd(view(&carry, left * i * j), par);
        cores.push(found.left());
        carry = found.weighted_right();
    }
    cores.push(carry);
    cores
}

/// U·Λ, …, B_{m−1}, V_mᵀ: the mirror image.
fn sweep_left(x: Vec<f64>, dims: &[[usize; 4]], par: Par) -> Vec<Vec<f64>> {
    let mut cores = Vec::with_capacity(dims.len());
    let mut carry = x;
    for (k, &[_, i, j, right]) in dims.iter().enumerate().skip(1).rev() {
        if is_link(dims, k) {
            cores.push(identity(right));
            continue;
        }
        let outer = carry.len() / (i * j * right);
        let found = svd(view(&carry, outer), par);
        cores.push(tabulate(found.s.len(), found.v.nrows(), |r, c| found.v[(c, r)]));
        carry = tabulate(outer, found.s.len(), |r, c| found.u[(r, c)] * found.s[c]);
    }
    cores.push(carry);
    cores.reverse();
    cores
}

/// Λ_{k−1}^(−a′)·A_k·Λ_k^a, with the weights of every bond on both of its sides.
fn share(x: Vec<f64>, dims: &[[usize; 4]], gauge: Gauge, par: Par) -> Vec<Vec<f64>> {
    let order = dims.len();
    let mut cores = Vec::with_capacity(order);
    let mut carry = x;
    let mut before: Option<Svd> = None;
    for (k, &[left, i, j, _]) in dims.iter().enumerate() {
        // Exponents at the bond to the left and to the right.
        let (a, b) = (gauge.exponent(k, order), gauge.exponent(k + 1, order));
        cores.push(match before.take() {
            Some(bond) if k + 1 == order => {
                let right = tabulate(bond.s.len(), bond.v.nrows(), |r, c| bond.s[r].powf(1.0 - a) * bond.v[(c, r)]);
                before = Some(bond);
                right
            }
            Some(bond) if is_link(dims, k) => {
                let d = bond.s.len();
                let link = tabulate(d, d, |r, c| if r == c { bond.s[r].powf(b - a) } else { 0.0 });
                before = Some(bond);
                link
            }
            previous => {
                let mut bond = svd(view(&carry, left * i * j), par);
                carry = bond.weighted_right();
                let least = bond.s[0] * NEGLIGIBLE;
                bond.s.iter_mut().filter(|s| **s <= least).for_each(|s| *s = 0.0);
                let core = match previous {
                    None => tabulate(bond.u.nrows(), bond.s.len(), |r, c| bond.u[(r, c)] * bond.s[c].powf(b)),
                    Some(previous) => middle(&previous, &bond, i * j, a, b, par),
                };
                before = Some(bond);
                core
            }
        });
    }
    cores
}

/// T_k `[d_{k−1}, n, d_k]` between two bonds with exponents `a` and `b` ≥ `a`; `right.u` is A_k `[d_{k−1}·n, d_k]`.
fn middle(left: &Svd, right: &Svd, n: usize, a: f64, b: f64, par: Par) -> Vec<f64> {
    // B[(α, n), β] = Σ_c V_{k−1}[(n, c), α]·V_k[c, β].
    let rest = right.v.nrows();
    let v = Mat::from_fn(left.s.len() * n, rest, |r, c| left.v[((r % n) * rest + c, r / n)]);
    let columns = right.s.len();
    let product = multiply(v.as_ref(), right.v.as_ref(), par);
    tabulate(left.s.len() * n, columns, |row, beta| {
        let (from, to) = (left.s[row / n], right.s[beta]);
        if from == 0.0 || to == 0.0 {
            0.0
        } else if to <= from {
            right.u[(row, beta)] * (to / from).powf(a) * to.powf(b - a)
        } else {
            product[row * columns + beta] * (from / to).powf(1.0 - b) * from.powf(b - a)
        }
    })
}
