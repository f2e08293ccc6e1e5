use super::*;

#[test]
fn runs_of_ones_are_exactly_identities() {
    let mut rng = seeded(11);
    for text in ["6,1*3,4 x 6,1*3,6", "2,1,1,3,1,2 x 3,1,1,2,1,2", "1,1,3 x 1,1,2"] {
        let shape: Shape = text.parse().unwrap();
        let (rows, cols) = (shape.padded_rows(), shape.padded_cols());
        for w in [random(&mut rng, rows * cols), vec![0.0; rows * cols]] {
            for gauge in [Gauge::Left, Gauge::Right, Gauge::Symmetric] {
                let mpo = decompose(&w, rows, cols, &shape, gauge).unwrap();
                let links = mpo.cores()[1..shape.order() - 1].iter().filter(|core| core.external() == 1);
                for core in links {
                    assert_eq!(core.data, dense::identity(core.dims[0]), "{text} {gauge}");
                }
            }
        }
    }
}

#[test]
fn the_symmetric_gauge_has_the_spectrum_on_both_sides_of_every_bond() {
    let mut rng = seeded(12);
    for _ in 0..300 {
        let shape = random_shape(&mut rng);
        let (rows, cols) = random_size(&mut rng, &shape);
        // Padding and zero rows included: there the spectrum has zeros.
        let w = random_matrix(&mut rng, rows, cols);
        let mpo = decompose(&w, rows, cols, &shape, Gauge::Symmetric).unwrap();
        let spectra = spectra(&w, rows, cols, &shape).unwrap();
        for (k, spectrum) in spectra.iter().enumerate() {
            for left in [true, false] {
                // Λ is of the order of ‖W‖ < 50; √Λ squared keeps 13 digits of it.
                let error = gram_error(&half(mpo.cores(), k + 1, left), spectrum);
                assert!(
                    error <= 1e-12 * spectrum[0].max(1e-300),
                    "{shape} {rows}x{cols} bond {k} left {left}: {error:e}"
                );
            }
        }
    }
}

#[test]
fn left_and_right_gauges_are_orthogonal_even_where_the_rank_is_deficient() {
    let mut rng = seeded(13);
    for _ in 0..300 {
        let shape = random_shape(&mut rng);
        let (rows, cols) = random_size(&mut rng, &shape);
        let w = random_matrix(&mut rng, rows, cols);
        let left = decompose(&w, rows, cols, &shape, Gauge::Left).unwrap();
        for core in &left.cores()[..shape.order() - 1] {
            assert!(gram_error(&core.tall().to_owned(), &vec![1.0; core.dims[3]]) < 1e-13, "{shape}");
        }
        let right = decompose(&w, rows, cols, &shape, Gauge::Right).unwrap();
        for core in &right.cores()[1..] {
            assert!(gram_error(&core.wide().transpose().to_owned(), &vec![1.0; core.dims[0]]) < 1e-13, "{shape}");
        }
    }
}

#[test]
fn the_balanced_gauge_spreads_the_spectrum_evenly() {
    let mut rng = seeded(14);
    let shape: Shape = "4,1,1,3 x 3,1,1,4".parse().unwrap();
    let w = random(&mut rng, 144);
    let spectrum = spectrum(&w, 12, 12, &shape, 1).unwrap();
    let mpo = decompose(&w, 12, 12, &shape, Gauge::Balanced).unwrap();
    let root: Vec<f64> = spectrum.iter().map(|s| s.powf(0.25)).collect();
    for core in &mpo.cores()[1..3] {
        let expected = dense::tabulate(12, 12, |r, c| if r == c { root[r] } else { 0.0 });
        assert!(relative(&expected, &core.data) < 1e-12);
    }
    // In a general chain: U_k·Λ^(k/m) on the left, Λ^(1−k/m)·V_kᵀ on the right.
    let shape: Shape = "2,3,2 x 3,2,2".parse().unwrap();
    let mpo = decompose(&w, 12, 12, &shape, Gauge::Balanced).unwrap();
    for (k, spectrum) in spectra(&w, 12, 12, &shape).unwrap().iter().enumerate() {
        let a = (k + 1) as f64 / 3.0;
        let power = |p: f64| spectrum.iter().map(|s| s.powf(2.0 * p)).collect::<Vec<f64>>();
        assert!(gram_error(&half(mpo.cores(), k + 1, true), &power(a)) < 1e-12);
        assert!(gram_error(&half(mpo.cores(), k + 1, false), &power(1.0 - a)) < 1e-12);
    }
}

#[test]
fn channels_without_weight_are_exactly_zero() {
    let mut rng = seeded(15);
    // Rank 1 after the permutation: a Kronecker product.
    let (a, b) = (random(&mut rng, 12), random(&mut rng, 12));
    let shape: Shape = "3,1,4 x 4,1,3".parse().unwrap();
    let x: Vec<f64> = (0..144).map(|k| a[k / 12] * b[k % 12]).collect();
    let w = deinterleave(&x, 12, 12, &shape);
    for gauge in [Gauge::Symmetric, Gauge::Balanced] {
        let mpo = decompose(&w, 12, 12, &shape, gauge).unwrap();
        let [first, _, last] = mpo.cores() else { panic!("three cores") };
        assert!(first.data.iter().enumerate().all(|(k, x)| k % 12 == 0 || *x == 0.0), "{gauge}");
        assert!(last.data[12..].iter().all(|x| *x == 0.0), "{gauge}");
        assert!(relative(&w, &mpo.contract()) < 1e-14);
    }
}

#[test]
fn signs_and_bits_are_deterministic() {
    let mut rng = seeded(16);
    let shape = Shape::balanced(64, 48, 4).unwrap();
    let w = random(&mut rng, 64 * 48);
    for gauge in Gauge::ALL {
        let once = decompose(&w, 64, 48, &shape, gauge).unwrap();
        assert_eq!(once, decompose(&w, 64, 48, &shape, gauge).unwrap());
    }
    for cores in [2, 5] {
        let shape = Shape::paper(20, 12, cores).unwrap();
        let w = random(&mut rng, 240);
        let mpo = decompose(&w, 20, 12, &shape, Gauge::Symmetric).unwrap();
        let first = &mpo.cores()[0];
        for column in 0..first.dims[3] {
            let values = first.data.iter().skip(column).step_by(first.dims[3]).copied();
            let largest = values.fold(0.0, |top: f64, x| if x.abs() > top.abs() { x } else { top });
            assert!(largest > 0.0);
        }
        // A negated matrix has the same left vectors, and its sign in the last core.
        let negated: Vec<f64> = w.iter().map(|x| -x).collect();
        let other = decompose(&negated, 20, 12, &shape, Gauge::Symmetric).unwrap();
        assert!(relative(&first.data, &other.cores()[0].data) < 1e-12);
    }
}

#[test]
fn names_of_gauges_round_trip() {
    for gauge in Gauge::ALL {
        assert_eq!(gauge.to_string().parse::<Gauge>().unwrap(), gauge);
        assert_eq!(serde_json::to_string(&gauge).unwrap(), format!("\"{gauge}\""));
    }
    assert_eq!(Gauge::default(), Gauge::Symmetric);
    let message = "Left".parse::<Gauge>().unwrap_err().to_string();
    assert_eq!(message, "`Left` is none of left, right, symmetric, balanced");
}
