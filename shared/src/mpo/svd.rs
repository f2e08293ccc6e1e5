//! A thin SVD that is checked, with a slow method that always converges behind it; and a QR, checked alike.

use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::svd::{self as low, ComputeSvdVectors};
use faer::{Mat, MatRef, Par};

use super::dense::{multiply, norm, tabulate, view};

/// A = U·diag(s)·Vᵀ with s descending and the largest entry of each column of U positive.
#[derive(Debug, Clone)]
pub(super) struct Svd {
    /// `[rows, rank]`, rank = min(rows, cols), orthonormal columns even where s is 0.
    pub u: Mat<f64>,
    /// Singular values.
    pub s: Vec<f64>,
    /// `[cols, rank]`.
    pub v: Mat<f64>,
}

impl Svd {
    /// U, row-major.
    pub fn left(&self) -> Vec<f64> {
        tabulate(self.u.nrows(), self.s.len(), |r, c| self.u[(r, c)])
    }

    /// diag(s)·Vᵀ, row-major.
    pub fn weighted_right(&self) -> Vec<f64> {
        tabulate(self.s.len(), self.v.nrows(), |r, c| self.s[r] * self.v[(c, r)])
    }
}

/// ‖A − U·S·Vᵀ‖/‖A‖ above this is a failure: good decompositions stay near 10⁻¹⁵.
const TOLERANCE: f64 = 1e-10;

/// The thin SVD of a matrix of finite numbers.
pub(super) fn svd(a: MatRef<'_, f64>, par: Par) -> Svd {
    let scale = scale(a);
    if scale != 1.0 {
        let mut found = svd((a * faer::Scale(scale)).as_ref(), par);
        found.s.iter_mut().for_each(|s| *s /= scale);
        return found;
    }
    // faer is fast; it may, rarely, not converge on degenerate matrices, and then says so.
    let mut found = fast(a, true, par).filter(|found| is_valid(a, found, par)).unwrap_or_else(|| jacobi(a));
    fix_signs(&mut found);
    found
}

/// The singular values alone, in a third of the time.
pub(super) fn singular_values(a: MatRef<'_, f64>, par: Par) -> Vec<f64> {
    let scale = scale(a);
    if scale != 1.0 {
        let scaled = singular_values((a * faer::Scale(scale)).as_ref(), par);
        return scaled.into_iter().map(|s| s / scale).collect();
    }
    let squares = a.squared_norm_l2();
    // Without vectors the norm is what can be checked.
    let is_valid =
        |s: &[f64]| is_ordered(s) && (s.iter().map(|s| s * s).sum::<f64>() - squares).abs() <= TOLERANCE * squares;
    fast(a, false, par).map(|found| found.s).filter(|s| is_valid(s)).unwrap_or_else(|| jacobi(a).s)
}

/// A power of two that brings values whose squares would overflow or vanish to the order of 1.
fn scale(a: MatRef<'_, f64>) -> f64 {
    let largest = a.norm_max();
    if largest == 0.0 || (1e-100..1e100).contains(&largest) {
        return 1.0;
    }
    2f64.powi(-largest.log2().clamp(-1000.0, 1000.0) as i32)
}

fn fast(a: MatRef<'_, f64>, vectors: bool, par: Par) -> Option<Svd> {
    let (rows, cols) = a.shape();
    let rank = rows.min(cols);
    let compute = if vectors { ComputeSvdVectors::Thin } else { ComputeSvdVectors::No };
    let mut memory = MemBuffer::new(low::svd_scratch::<f64>(rows, cols, compute, compute, par, Default::default()));
    let width = if vectors { rank } else { 0 };
    let (mut u, mut v, mut s) = (Mat::zeros(rows, width), Mat::zeros(cols, width), Diag::zeros(rank));
    let (left, right) = if vectors { (Some(u.as_mut()), Some(v.as_mut())) } else { (None, None) };
    low::svd(a, s.as_mut(), left, right, par, MemStack::new(&mut memory), Default::default()).ok()?;
    let s = (0..rank).map(|k| s[k]).collect();
    Some(Svd { u, s, v })
}

fn is_ordered(s: &[f64]) -> bool {
    s.is_sorted_by(|a, b| a >= b) && s.iter().all(|s| s.is_finite() && *s >= 0.0)
}

fn is_valid(a: MatRef<'_, f64>, found: &Svd, par: Par) -> bool {
    is_ordered(&found.s) && reproduces(a, found.u.as_ref(), view(&found.weighted_right(), found.s.len()), par)
}

/// ‖A − L·R‖ ≤ tolerance·‖A‖; false for NaN too.
fn reproduces(a: MatRef<'_, f64>, left: MatRef<'_, f64>, right: MatRef<'_, f64>, par: Par) -> bool {
    let product = multiply(left, right, par);
    (a - view(&product, a.nrows())).norm_l2() <= TOLERANCE * a.norm_l2()
}

fn fix_signs(svd: &mut Svd) {
    for k in 0..svd.s.len() {
        let column = svd.u.col(k);
        let largest = column.iter().copied().fold(0.0f64, |top, x| if x.abs() > top.abs() { x } else { top });
        if largest < 0.0 {
            svd.u.col_mut(k).iter_mut().for_each(|x| *x = -*x);
            svd.v.col_mut(k).iter_mut().for_each(|x| *x = -*x);
        }
    }
}

/// A = Q·R row-major, Q `[rows, rank]` with orthonormal columns even where A is rank-deficient, R's diagonal positive;
/// rank = min(rows, cols).
pub(super) fn orthogonalize(a: MatRef<'_, f64>, par: Par) -> (Vec<f64>, Vec<f64>) {
    let rank = a.nrows().min(a.ncols());
    let qr = a.qr();
    let (mut q, mut r) = (qr.compute_thin_Q(), qr.thin_R().to_owned());
    for k in (0..rank).filter(|&k| r[(k, k)] < 0.0).collect::<Vec<_>>() {
        q.col_mut(k).iter_mut().for_each(|x| *x = -*x);
        r.row_mut(k).iter_mut().for_each(|x| *x = -*x);
    }
    let gram = multiply(q.transpose(), q.as_ref(), par);
    let deviation = norm(gram.iter().enumerate().map(|(at, x)| if at / rank == at % rank { x - 1.0 } else { *x }));
    if deviation <= TOLERANCE && reproduces(a, q.as_ref(), r.as_ref(), par) {
        let rows = |m: &Mat<f64>| tabulate(m.nrows(), m.ncols(), |r, c| m[(r, c)]);
        return (rows(&q), rows(&r));
    }
    let found = svd(a, par);
    (found.left(), found.weighted_right())
}

/// One-sided Jacobi (Hestenes, 1958): rotates pairs of columns until all are orthogonal. Slow, and always right.
pub(super) fn jacobi(a: MatRef<'_, f64>) -> Svd {
    if a.nrows() < a.ncols() {
        let Svd { u, s, v } = jacobi(a.transpose());
        return Svd { u: v, s, v: u };
    }
    let n = a.ncols();
    // The cosine between two columns that counts as zero: rounding of a scalar product.
    let tolerance = f64::EPSILON * (a.nrows() as f64).sqrt().max(4.0);
    let mut work = a.to_owned();
    let mut v = Mat::<f64>::identity(n, n);
    for _sweep in 0..60 {
        let mut rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                let dot =
                    |x: usize, y: usize| work.col(x).iter().zip(work.col(y).iter()).map(|(a, b)| a * b).sum::<f64>();
                let (pp, qq, pq) = (dot(p, p), dot(q, q), dot(p, q));
                if pq.abs() <= tolerance * (pp * qq).sqrt() {
                    continue;
                }
                rotated = true;
                let tau = (qq - pp) / (2.0 * pq);
                let t = tau.signum() / (tau.abs() + (1.0 + tau * tau).sqrt());
                let cos = 1.0 / (1.0 + t * t).sqrt();
                let sin = t * cos;
                for matrix in [&mut work, &mut v] {
                    for row in 0..matrix.nrows() {
                        let (x, y) = (matrix[(row, p)], matrix[(row, q)]);
                        matrix[(row, p)] = cos * x - sin * y;
                        matrix[(row, q)] = sin * x + cos * y;
                    }
                }
            }
        }
        if !rotated {
            break;
        }
    }
    let norms: Vec<f64> = (0..n).map(|k| work.col(k).norm_l2()).collect();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| norms[b].total_cmp(&norms[a]));
    let largest = order.first().map_or(0.0, |&k| norms[k]);
    let mut u = Mat::<f64>::zeros(a.nrows(), n);
    for (k, &from) in order.iter().enumerate() {
        // A column of rounding errors has no direction of its own, and need not be orthogonal to the others.
        if norms[from] > largest * 1e-14 {
            (0..a.nrows()).for_each(|row| u[(row, k)] = work[(row, from)] / norms[from]);
        } else {
            complete(&mut u, k);
        }
    }
    Svd { u, s: order.iter().map(|&k| norms[k]).collect(), v: Mat::from_fn(n, n, |row, k| v[(row, order[k])]) }
}

/// Makes column `k` orthonormal to the columns before it: a null direction may be any.
fn complete(u: &mut Mat<f64>, k: usize) {
    for axis in 0..u.nrows() {
        let mut column: Vec<f64> = (0..u.nrows()).map(|row| if row == axis { 1.0 } else { 0.0 }).collect();
        // Twice is enough (Kahan and Parlett).
        for _ in 0..2 {
            for other in 0..k {
                let dot: f64 = column.iter().zip(u.col(other).iter()).map(|(a, b)| a * b).sum();
                column.iter_mut().zip(u.col(other).iter()).for_each(|(a, b)| *a -= dot * b);
            }
        }
        let norm = column.iter().map(|x| x * x).sum::<f64>().sqrt();
        // Some axis has at least this much outside the span of fewer columns than rows.
        if norm > 0.1 / (u.nrows() as f64).sqrt() {
            (0..u.nrows()).for_each(|row| u[(row, k)] = column[row] / norm);
            return;
        }
    }
}
