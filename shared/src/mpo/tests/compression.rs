use super::*;

#[test]
fn spectra_are_the_singular_values_of_the_unfoldings() {
    let mut rng = seeded(21);
    for _ in 0..300 {
        let shape = random_shape(&mut rng);
        let (rows, cols) = random_size(&mut rng, &shape);
        let w = random_matrix(&mut rng, rows, cols);
        let x = interleave(&w, rows, cols, &shape);
        let direct = spectra(&w, rows, cols, &shape).unwrap();
        let by_cores = decompose(&w, rows, cols, &shape, Gauge::ALL[rng.random_range(0..4)]).unwrap().spectra();
        assert_eq!((direct.len(), by_cores.len()), (shape.order() - 1, shape.order() - 1));
        let mut left = 1;
        for (k, n) in shape.external().take(shape.order() - 1).enumerate() {
            left *= n;
            let expected = oracle(&x, left);
            // Absolute to the largest: small singular values carry the rounding of the large.
            let close = |found: &[f64]| {
                assert_eq!(found.len(), shape.bonds()[k]);
                found.iter().zip(&expected).all(|(a, b)| (a - b).abs() <= 1e-13 * expected[0].max(1e-300))
            };
            assert!(close(&direct[k]) && close(&by_cores[k]), "{shape} bond {k}");
            assert!(close(&spectrum(&w, rows, cols, &shape, k).unwrap()));
        }
    }
}

#[test]
fn the_center_moves_anywhere_and_holds_the_norm() {
    let mut rng = seeded(22);
    for _ in 0..300 {
        let shape = random_shape(&mut rng);
        let (rows, cols) = random_size(&mut rng, &shape);
        let w = random_matrix(&mut rng, rows, cols);
        let mut mpo = decompose(&w, rows, cols, &shape, Gauge::Symmetric).unwrap();
        let center = rng.random_range(0..shape.order());
        mpo.canonicalize(center).unwrap();
        assert_eq!(mpo.bonds(), shape.bonds());
        assert!(relative(&w, &mpo.contract()) <= 1e-12, "{shape}");
        let (size, core) = (norm(w.iter().copied()), norm(mpo.cores()[center].data.iter().copied()));
        assert!((size - core).abs() <= 1e-12 * size);
        for (k, core) in mpo.cores().iter().enumerate() {
            let orthogonal = match k.cmp(&center) {
                std::cmp::Ordering::Less => gram_error(&core.tall().to_owned(), &vec![1.0; core.dims[3]]),
                std::cmp::Ordering::Greater => {
                    gram_error(&core.wide().transpose().to_owned(), &vec![1.0; core.dims[0]])
                }
                std::cmp::Ordering::Equal => 0.0,
            };
            assert!(orthogonal < 1e-13, "{shape} core {k}, center {center}: {orthogonal:e}");
        }
        assert!(mpo.canonicalize(shape.order()).unwrap_err().to_string().contains("there is no core"));
    }
}

#[test]
fn two_cores_are_the_svd_and_truncate_optimally() {
    let mut rng = seeded(23);
    let shape = Shape::paper(20, 12, 2).unwrap();
    let w = random(&mut rng, 240);
    let mpo = decompose(&w, 20, 12, &shape, Gauge::Symmetric).unwrap();
    let singular = oracle(&interleave(&w, 20, 12, &shape), 20);
    assert!(relative(&singular, &mpo.spectra()[0]) < 1e-12);
    for rank in 1..=12 {
        let truncated = mpo.truncate(Truncation::Rank(rank));
        // Eckart and Young: no matrix of this rank is nearer.
        let best = norm(singular[rank..].iter().copied());
        assert!((truncated.error - best).abs() < 1e-12 && (truncated.bound - best).abs() < 1e-12);
        assert_eq!(truncated.mpo.bonds(), [rank]);
    }
}

#[test]
fn truncation_keeps_its_bound() {
    let mut rng = seeded(24);
    for _ in 0..1000 {
        let shape = random_shape(&mut rng);
        let (rows, cols) = random_size(&mut rng, &shape);
        let w = random_matrix(&mut rng, rows, cols);
        let mpo = decompose(&w, rows, cols, &shape, Gauge::Balanced).unwrap();
        let size = norm(w.iter().copied());
        let x = interleave(&w, rows, cols, &shape);
        for truncation in [Truncation::Rank(rng.random_range(1..6)), Truncation::Error(rng.random_range(0.0..0.9))] {
            let truncated = mpo.truncate(truncation);
            // Rounding of the sweep where the bound is all but zero.
            let slack = 1e-13 * size;
            assert!((truncated.norm - size).abs() <= slack);
            assert!(truncated.error <= truncated.bound + slack, "{shape} {truncation:?}");
            // The error is that of the folded matrix too, as far as padding is not touched.
            let folded = relative(&w, &truncated.mpo.contract());
            assert!(folded <= truncated.relative_error() + 1e-13);
            // √Σε² once more, by the slow SVD of every distinct unfolding.
            let (mut left, mut squares) = (1, 0.0);
            for (k, n) in shape.external().take(shape.order() - 1).enumerate() {
                left *= n;
                if k == 0 || n > 1 {
                    squares += oracle(&x, left)[truncated.mpo.bonds()[k]..].iter().map(|s| s * s).sum::<f64>();
                }
            }
            // A bond may come out narrower than planned, between narrow neighbours: then the plan's bound is smaller.
            assert!(truncated.bound <= squares.sqrt() + slack, "{shape} {} {}", truncated.bound, squares.sqrt());
            match truncation {
                Truncation::Rank(rank) => assert!(truncated.mpo.bonds().iter().all(|&d| d <= rank)),
                Truncation::Error(relative) => assert!(truncated.bound <= relative * size + slack),
            }
        }
        let all = mpo.truncate(Truncation::Rank(usize::MAX));
        assert!(all.error <= 1e-13 * size && all.bound == 0.0, "{shape}: {:e}", all.error);
        let all = mpo.truncate(Truncation::Error(f64::NAN));
        assert!(all.error <= 1e-13 * size, "{shape}");
    }
}

#[test]
fn the_bound_is_that_of_the_original_spectra() {
    let mut rng = seeded(25);
    let shape: Shape = "2,3,2 x 3,2,2".parse().unwrap();
    let w = random(&mut rng, 144);
    let mpo = decompose(&w, 12, 12, &shape, Gauge::Symmetric).unwrap();
    let truncated = mpo.truncate(Truncation::Rank(2));
    assert_eq!(truncated.mpo.bonds(), [2, 2]);
    let x = interleave(&w, 12, 12, &shape);
    let squares: f64 = [6, 36].iter().flat_map(|&left| oracle(&x, left).split_off(2)).map(|s| s * s).sum();
    assert!((truncated.bound - squares.sqrt()).abs() < 1e-12);
    assert!(truncated.error < truncated.bound);
    // A chain of identities loses once, not at every bond.
    let shape: Shape = "4,1*5,3 x 3,1*5,4".parse().unwrap();
    let truncated = decompose(&w, 12, 12, &shape, Gauge::Symmetric).unwrap().truncate(Truncation::Rank(5));
    assert!((truncated.error - truncated.bound).abs() < 1e-12);
    assert_eq!(truncated.mpo.bonds(), [5; 6]);
}

#[test]
fn entropy_of_known_spectra() {
    assert_eq!(entropy(&[3.0, 0.0]), 0.0);
    assert_eq!(entropy(&[0.0, 0.0]), 0.0);
    assert_eq!(entropy(&[]), 0.0);
    assert!((entropy(&[2.0; 8]) - 8f64.ln()).abs() < 1e-15);
    assert!((entropy(&[1e-200; 8]) - 8f64.ln()).abs() < 1e-15);
    // p = 4/5, 1/5.
    assert!((entropy(&[2.0, 1.0]) - (5f64.ln() - 0.8 * 4f64.ln())).abs() < 1e-15);
}
