use faer::Par;

use super::svd::{Svd, jacobi, orthogonalize, singular_values, svd};
use super::*;

fn check(a: MatRef<'_, f64>, found: &Svd) {
    let scale = a.norm_l2().max(1e-300);
    let product = Mat::from_fn(a.nrows(), found.s.len(), |r, c| found.u[(r, c)] * found.s[c]) * found.v.transpose();
    assert!((a - product).norm_l2() <= 1e-13 * scale);
    let ones = vec![1.0; found.s.len()];
    assert!(gram_error(&found.u, &ones) < 1e-13 && gram_error(&found.v, &ones) < 1e-13);
    assert!(found.s.is_sorted_by(|x, y| x >= y));
}

#[test]
fn the_fast_and_the_slow_svd_agree() {
    let mut rng = seeded(31);
    for _ in 0..1000 {
        let (rows, cols) = (rng.random_range(1..20), rng.random_range(1..20));
        let w = random_matrix(&mut rng, rows, cols);
        let a = MatRef::from_row_major_slice(&w, rows, cols);
        let (fast, slow) = (svd(a, Par::Seq), jacobi(a));
        check(a, &fast);
        check(a, &slow);
        let close = |s: &[f64]| s.iter().zip(&slow.s).all(|(x, y)| (x - y).abs() <= 1e-13 * slow.s[0]);
        assert!(close(&fast.s) && close(&singular_values(a, Par::Seq)));
    }
}

#[test]
fn a_larger_svd_with_clusters_and_nulls_is_right() {
    // Above the size at which faer divides and conquers; equal, small and zero singular values are its hard cases.
    let mut rng = seeded(32);
    let left = svd(view(&random(&mut rng, 300 * 200), 300), Par::Seq).u;
    let right = svd(view(&random(&mut rng, 200 * 200), 200), Par::Seq).u;
    for values in [|_| 1.0, |k: usize| if k < 7 { 1.0 } else { 0.0 }, |k: usize| 0.8f64.powi(k as i32)] {
        let a = Mat::from_fn(300, 200, |r, c| left[(r, c)] * values(c)) * right.transpose();
        let found = svd(a.as_ref(), threads());
        check(a.as_ref(), &found);
        assert!((0..200).all(|k| (found.s[k] - values(k)).abs() < 1e-13));
    }
}

#[test]
fn orthogonalization_survives_deficient_rank() {
    let mut rng = seeded(33);
    for _ in 0..1000 {
        let (rows, cols) = (rng.random_range(1..16), rng.random_range(1..16));
        let w = random_matrix(&mut rng, rows, cols);
        let (q, r) = orthogonalize(view(&w, rows), Par::Seq);
        let rank = rows.min(cols);
        assert_eq!((q.len(), r.len()), (rows * rank, rank * cols));
        assert!(gram_error(&view(&q, rows).to_owned(), &vec![1.0; rank]) < 1e-13);
        assert!(relative(&w, &multiply(view(&q, rows), view(&r, rank), Par::Seq)) < 1e-13);
    }
    let (q, r) = orthogonalize(view(&dense::identity(5), 5), Par::Seq);
    assert_eq!((q, r), (dense::identity(5), dense::identity(5)));
}
