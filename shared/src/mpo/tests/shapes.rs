use super::*;

#[test]
fn the_papers_shapes_are_those_of_its_tables() {
    for (size, large, small) in
        [(768, 32, 24), (3072, 64, 48), (1024, 32, 32), (4096, 64, 64), (2048, 64, 32), (512, 32, 16)]
    {
        let shape = Shape::paper(size, size, 11).unwrap();
        let text = format!("{large},1*9,{small}");
        assert_eq!(shape.to_string(), format!("{text} x {text}"));
    }
    assert_eq!(Shape::paper(384, 1536, 11).unwrap().to_string(), "24,1*9,16 x 48,1*9,32");
    assert_eq!(Shape::paper(7, 13, 3).unwrap().to_string(), "4,1,2 x 7,1,2");
    assert_eq!(Shape::paper(2, 3, 2).unwrap().to_string(), "2,1 x 3,1");
    assert_eq!(Shape::paper(768, 3072, 1).unwrap().to_string(), "768 x 3072");
}

#[test]
fn parameter_counts_and_bonds_are_those_of_the_dossier() {
    // method.md §1.5 and §1.6: (rows, cols, cores, bond, parameters).
    for (rows, cols, cores, bond, parameters) in [
        (768, 768, 2, 576, 921_600),
        (768, 768, 3, 576, 1_253_376),
        (768, 768, 5, 576, 1_916_928),
        (768, 768, 7, 576, 2_580_480),
        (768, 768, 9, 576, 3_244_032),
        (768, 768, 11, 576, 3_907_584),
        (768, 768, 15, 576, 5_234_688),
        (3072, 768, 2, 1152, 3_686_400),
        (3072, 768, 3, 1152, 5_013_504),
        (3072, 768, 5, 1152, 7_667_712),
        (3072, 768, 11, 1152, 15_630_336),
        (3072, 768, 15, 1152, 20_938_752),
        (1024, 1024, 11, 1024, 11 * 1024 * 1024),
        (4096, 1024, 15, 2048, 15 * 4096 * 1024),
        // 3.5 times the matrix.
        (512, 512, 11, 256, 512 * 512 * 7 / 2),
        // The paper's own 32,…,64 is below: its bond is twice as wide.
        (2048, 512, 11, 512, 2048 * 512 * 7 / 2),
    ] {
        let shape = Shape::paper(rows, cols, cores).unwrap();
        assert_eq!((shape.bonds(), shape.parameters()), (vec![bond; cores - 1], parameters), "{shape}");
    }
    for (text, bonds, parameters) in [
        ("8,12,8 x 8,12,8", vec![64, 64], 598_016),
        ("3,4*4 x 4*4,3", vec![12, 192, 192, 12], 663_840),
        ("4,4,3,4,4 x 4,4,3,4,4", vec![16, 256, 256, 16], 721_408),
        ("8,2*4,6 x 8,2*4,6", vec![64, 256, 576, 144, 36], 1_013_264),
        ("2,4,4,3,2*3 x 2,4,4,3,2*3", vec![4, 64, 576, 64, 16, 4], 930_080),
        ("3,4,1,1,4*3 x 4,4,1,1,4,4,3", vec![12, 192, 192, 192, 192, 12], 737_568),
        ("2*4,3,2*4 x 2*4,3,2*4", vec![4, 16, 64, 256, 256, 64, 16, 4], 729_632),
        ("8,4*3,6 x 3,4*4", vec![24, 384, 384, 24], 2_655_360),
        ("3,4*4 x 4,4,8,6,4", vec![12, 192, 384, 16], 2_544_016),
        ("32,1*9,64 x 32,1*9,16", vec![1024; 10], 11 * 2048 * 512),
    ] {
        let shape: Shape = text.parse().unwrap();
        assert_eq!((shape.bonds(), shape.parameters(), shape.to_string()), (bonds, parameters, text.to_owned()));
        assert_eq!(shape.parameters(), shape.padded_rows() * shape.padded_cols() + shape.surplus());
    }
    // Embeddings, bonds alone.
    for (text, bonds) in [("4,8,20,12,4 x 4*4,3", vec![16, 512, 576, 12]), ("8*5 x 3,4*4", vec![24, 768, 1024, 32])] {
        assert_eq!(text.parse::<Shape>().unwrap().bonds(), bonds);
    }
}

#[test]
fn every_size_has_a_paper_shape_that_fits() {
    for size in 1..5000 {
        for cores in [1, 2, 5] {
            let shape = Shape::paper(size, size, cores).unwrap();
            shape.check(size, size).unwrap();
            let factors = shape.row_factors();
            assert!(cores == 1 || factors[0] <= 4 * factors[cores - 1], "{shape}");
            assert!(factors[0] >= factors[cores - 1]);
            assert!(cores > 1 || shape.padded_rows() == size);
        }
        let shape = Shape::balanced(size, 768, 4).unwrap();
        assert_eq!((shape.padded_rows(), shape.padded_cols()), (size, 768));
    }
    let spread = Shape::balanced(4096, 4096, 6).unwrap();
    assert_eq!(spread.to_string(), "4*6 x 4*6");
}

#[test]
fn the_parameter_identity_holds_for_any_factors() {
    let mut rng = seeded(41);
    for _ in 0..20_000 {
        let order = rng.random_range(1..=12);
        let factors = |rng: &mut StdRng| (0..order).map(|_| rng.random_range(1..=5)).collect::<Vec<usize>>();
        let shape = Shape::new(factors(&mut rng), factors(&mut rng));
        let Ok(shape) = shape else { continue };
        let dense = shape.padded_rows() * shape.padded_cols();
        assert_eq!(shape.parameters(), dense + shape.surplus());
        // Eq. 8 once more, as it is printed.
        let n: Vec<usize> = shape.row_factors().iter().zip(shape.col_factors()).map(|(i, j)| i * j).collect();
        for (k, &bond) in shape.bonds().iter().enumerate() {
            assert_eq!(bond, n[..=k].iter().product::<usize>().min(n[k + 1..].iter().product()));
        }
    }
}

#[test]
fn texts_round_trip() {
    let mut rng = seeded(42);
    for _ in 0..3000 {
        let shape = random_shape(&mut rng);
        assert_eq!(shape.to_string().parse::<Shape>().unwrap(), shape);
        let json = serde_json::to_string(&shape).unwrap();
        assert_eq!(json, format!("\"{shape}\""));
        assert_eq!(serde_json::from_str::<Shape>(&json).unwrap(), shape);
    }
    let shape: Shape = " 64 , 1*2,48x32,1,1 ,24 ".parse().unwrap();
    assert_eq!((shape.row_factors(), shape.col_factors()), (&[64, 1, 1, 48][..], &[32, 1, 1, 24][..]));
    assert_eq!("64,1*9,48 x 32,1*9,24".parse::<Shape>().unwrap().to_string(), "64,1*9,48 x 32,1*9,24");
    assert_eq!("2,2 × 2,2".parse::<Shape>().unwrap().order(), 2);
}

#[test]
fn errors_name_what_is_wrong() {
    let message = |text: &str| text.parse::<Shape>().unwrap_err().to_string();
    for (text, part) in [
        ("24,16", "there is no ` x `"),
        ("", "there is no ` x `"),
        ("2,b x 2,2", "`b` is not a factor"),
        ("2,,3 x 2,2,2", "`` is not a factor"),
        ("-2 x 2", "`-2` is not a factor"),
        ("2,2 x 4", "2 row factors and 1 column factors"),
        ("2*0 x 2*0", "0 row factors"),
        ("2,0 x 2,2", "factor 2 of the rows is 0"),
        ("2*9999 x 2", "more than 1000"),
        ("2,2*18446744073709551615 x 2", "more than 1000"),
        ("2*64 x 2*64", "multiply to at most"),
    ] {
        assert!(message(text).contains(part), "{text}: {}", message(text));
    }
    for (rows, cols, cores) in [(0, 4, 2), (4, 0, 2), (4, 4, 0), (4, 4, usize::MAX), (usize::MAX, 4, 2)] {
        assert!(Shape::paper(rows, cols, cores).is_err() && Shape::balanced(rows, cols, cores).is_err());
    }
    let shape: Shape = "5,2 x 3,2".parse().unwrap();
    let error = shape.check(12, 6).unwrap_err().to_string();
    assert!(error.contains("rows [5, 2] multiply to 10, but the matrix has 12 rows"), "{error}");
    assert!(shape.check(8, 6).is_err(), "a whole slab of padding");
    assert!(shape.check(9, 5).is_ok());
    assert!(shape.check(0, 6).is_err() && shape.check(10, 0).is_err());
}

#[test]
fn bad_matrices_and_cores_are_refused() {
    let shape: Shape = "1 x 2".parse().unwrap();
    let message = |w: &[f64]| decompose(w, 1, 2, &shape, Gauge::Left).unwrap_err().to_string();
    assert_eq!(message(&[1.0, f64::NAN]), "the matrix is NaN at row 0, column 1");
    assert_eq!(message(&[f64::NEG_INFINITY, 0.0]), "the matrix is -inf at row 0, column 0");
    assert_eq!(message(&[1.0]), "1 values for a matrix of 1 rows and 2 columns");
    assert!(spectra(&[f64::NAN, 1.0], 1, 2, &shape).is_err());
    assert!(spectrum(&[0.0, 1.0], 1, 2, &shape, 0).unwrap_err().to_string().contains("there is no bond 0"));

    let core = |dims: [usize; 4]| Core { dims, data: vec![1.0; dims.iter().product()] };
    let refused = |cores: Vec<Core>| Mpo::from_cores(4, 4, cores).unwrap_err().to_string();
    assert!(Mpo::from_cores(4, 4, vec![core([1, 2, 2, 3]), core([3, 2, 2, 1])]).is_ok());
    assert!(refused(vec![core([1, 2, 2, 3]), core([2, 2, 2, 1])]).starts_with("core 2 has dimensions [2, 2, 2, 1]"));
    assert!(refused(vec![core([2, 4, 4, 1])]).contains("core 1"));
    assert!(refused(vec![core([1, 4, 4, 2])]).contains("core 1"));
    assert!(refused(vec![core([1, 2, 2, 0]), core([0, 2, 2, 1])]).contains("core 1"));
    assert!(refused(vec![core([1, 4, 3, 1])]).contains("columns [3] multiply to 3"));
    assert!(refused(vec![]).contains("0 row factors"));
    assert!(refused(vec![Core { dims: [1, 4, 4, 1], data: vec![1.0; 15] }]).contains("15 values"));
    let mut broken = core([1, 4, 4, 1]);
    broken.data[6] = f64::NAN;
    assert_eq!(refused(vec![broken]), "core 1 is NaN at index [0, 1, 2, 0] (left bond, row, column, right bond)");
}
