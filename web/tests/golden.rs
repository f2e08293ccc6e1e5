//! Numbers that NumPy computed from the same pieces (`numpy.linalg.svd` in f64, index permutations by `transpose`), against
//! what the figures say.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use overfold::mpo::{entropy, spectra};
use overfold_web::math::linalg::tail;
use overfold_web::matrix::Matrix;
use overfold_web::protocol::Request;
use overfold_web::safetensors::{Block, Dtype, header_length, parse};
use overfold_web::session::Session;
use overfold_web::state::Source;

fn close(found: f64, wanted: f64) {
    assert!((found - wanted).abs() <= 1e-12 * wanted.abs(), "{found} is not {wanted}");
}

#[test]
fn singular_values_are_numpys() {
    let query = Matrix::built_in(Source::Query).unwrap();
    close(query.norm, 7.496649408606845);
    close(query.svd.s[0], 1.893864704938143);
    close(query.svd.s[31], 0.7832389759015465);
    close(query.svd.s[63], 0.08308829884041305);
    close(tail(&query.svd.s, 16), 4.878849426551733);
    let positions = Matrix::built_in(Source::Positions).unwrap();
    close(positions.norm, 1.7005786073637503);
    close(positions.svd.s[0], 1.0070333990171816);
    close(tail(&positions.svd.s, 16), 0.1489681880214587);
}

#[test]
fn spectra_of_bonds_are_numpys() {
    let query = Matrix::built_in(Source::Query).unwrap();
    let found = spectra(&query.w, 64, 96, &"2,4,4,2 x 4,3,4,2".parse().unwrap()).unwrap();
    let wanted = [
        (8, 2.9772020252539675, 2.2889774669207132, 2.0660139658920773),
        (64, 1.6514836228505692, 0.19402764002280845, 3.8111925352582303),
        (4, 3.9060127822612336, 3.631986542094829, 1.3847954275140362),
    ];
    for (s, (count, first, last, spread)) in found.iter().zip(wanted) {
        assert_eq!(s.len(), count);
        close(s[0], first);
        close(s[count - 1], last);
        close(entropy(s), spread);
    }
}

#[test]
fn captions_say_what_numpy_says() {
    let captions = |hash: &str| {
        let mut session = Session::new().unwrap();
        let reply = session.answer(Request::Open { hash: hash.into(), width: 700.0 }).unwrap();
        reply.figures.into_iter().map(|figure| figure.caption + &figure.table).collect::<String>()
    };
    let start = captions("");
    for words in [
        "predicts an error of 4.88; subtracting the two matrices gives 4.88, which is 65.1 % of",
        "at most half of ‖W‖ takes 25 of them",
        "Its rank is 4 of 64; after pairing",
        "have rank 64 of 64 at bond 2",
        "would lose 65.5 %, 40.3 %, 69.1 % of",
        "Keeping 16 of 64 channels of bond 1 loses 66.4 % of",
    ] {
        assert!(start.contains(words), "{words}");
    }
    assert!(captions("#matrix=positions").contains("at most half of ‖W‖ takes 6 of them"));
    // Blocks of 2×4, 4×3, 4×4 and 2×2: the rank is the product of their smaller sides.
    let kronecker = captions("#sample=kronecker");
    assert!(
        kronecker.contains("Its rank is 48 of 64; after pairing") && kronecker.contains("have rank 1 of 64 at bond 2")
    );
}

#[test]
fn the_pieces_are_the_models() {
    let Some(folder) = std::env::var_os("OVERFOLD_MINILM") else {
        println!("skipped: OVERFOLD_MINILM does not name a folder with MiniLM");
        return;
    };
    let mut file = File::open(Path::new(&folder).join("model.safetensors")).unwrap();
    let size = file.metadata().unwrap().len();
    let mut read = |from: u64, to: u64| {
        let mut bytes = vec![0; (to - from) as usize];
        file.seek(SeekFrom::Start(from)).unwrap();
        file.read_exact(&mut bytes).unwrap();
        bytes
    };
    let length = header_length(&read(0, 8), size).unwrap();
    let entries = parse(&read(8, 8 + length), size).unwrap();
    let mut piece = |name: &str| {
        let entry = entries.iter().find(|entry| entry.name == name).unwrap();
        let block = Block { corner: [0, 0], size: [64, 96] };
        let [from, to] = block.span(entry);
        block.pick(entry, &read(from, to))
    };
    let stored = |source| Matrix::built_in(source).unwrap().stored;
    assert_eq!(piece("encoder.layer.0.attention.self.query.weight"), stored(Source::Query));
    // Half a unit in the last place of f16, whose numbers below 0.5 are at most 2⁻¹² apart.
    let positions = piece("embeddings.position_embeddings.weight");
    assert!(positions.iter().zip(stored(Source::Positions)).all(|(a, b)| (a - b).abs() <= 2f32.powi(-13)));
    // The reader of the page, on a whole file.
    assert!(entries.iter().all(|entry| entry.dtype == Dtype::F32));
}
