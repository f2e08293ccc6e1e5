//! A thin SVD that is checked, with a slow method that always converges behind it.

use faer::{Mat, MatRef};

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

/// ‖A − U·S·Vᵀ‖/‖A‖ above this is a failure: good decompositions stay near 10⁻¹⁵.
const TOLERANCE: f64 = 1e-10;

/// The thin SVD of a matrix of finite numbers.
pub(super) fn svd(a: MatRef<'_, f64>) -> Svd {
    // faer is fast; it may, rarely, not converge on small degenerate matrices, and then says so.
    let found = a.thin_svd().ok().map(|svd| Svd {
        u: svd.U().to_owned(),
        s: (0..a.nrows().min(a.ncols())).map(|k| svd.S()[k]).collect(),
        v: svd.V().to_owned(),
    });
    let mut svd = found.filter(|svd| is_valid(a, svd)).unwrap_or_else(|| jacobi(a));
    fix_signs(&mut svd);
    svd
}

fn is_valid(a: MatRef<'_, f64>, svd: &Svd) -> bool {
    let ordered = svd.s.is_sorted_by(|a, b| a >= b) && svd.s.iter().all(|s| s.is_finite() && *s >= 0.0);
    let scaled = Mat::from_fn(svd.u.nrows(), svd.s.len(), |r, c| svd.u[(r, c)] * svd.s[c]);
    let residual = a - &scaled * svd.v.transpose();
    // False for NaN too.
    ordered && residual.norm_l2() <= TOLERANCE * a.norm_l2()
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

/// One-sided Jacobi (Hestenes, 1958): rotates pairs of columns until all are orthogonal. Slow, and always right.
pub(super) fn jacobi(a: MatRef<'_, f64>) -> Svd {
    if a.nrows() < a.ncols() {
        let Svd { u, s, v } = jacobi(a.transpose());
        return Svd { u: v, s, v: u };
    }
    let n = a.ncols();
    let mut work = a.to_owned();
    let mut v = Mat::<f64>::identity(n, n);
    for _sweep in 0..60 {
        let mut rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                let dot = |x: usize, y: usize| work.col(x).iter().zip(work.col(y).iter()).map(|(a, b)| a * b).sum::<f64>();
                let (pp, qq, pq) = (dot(p, p), dot(q, q), dot(p, q));
                if pq.abs() <= 1e-15 * (pp * qq).sqrt() {
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
        if norms[from] > 1e-300 && norms[from] > largest * 1e-16 {
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
        if norm > 0.1 / (u.nrows() as f64).sqrt() {
            (0..u.nrows()).for_each(|row| u[(row, k)] = column[row] / norm);
            return;
        }
    }
}
