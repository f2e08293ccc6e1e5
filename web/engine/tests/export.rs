//! The engine on the CPU, natively, on the export of the browser tests: logits are PyTorch's, and faults have messages.

#![allow(clippy::unwrap_used)]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use burn::tensor::Device;
use overfold::manifest::Evaluation;
use overfold::mpo::{Gauge, decompose};
use overfold_engine::{Chains, Export, Session, chain, contract};

type Files = BTreeMap<String, Cow<'static, [u8]>>;

/// The manifest and the files of tests/browser/fixture (tests/python/small_export.py).
fn fixture() -> (String, Files) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/browser/fixture");
    let mut files = Files::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        files.insert(path.file_name().unwrap().to_str().unwrap().into(), fs::read(&path).unwrap().into());
    }
    let manifest = String::from_utf8(files.remove("manifest.json").unwrap().into_owned()).unwrap();
    (manifest, files)
}

/// The CPU has its results at once.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the CPU back end made us wait"),
    }
}

#[test]
fn logits_are_those_of_pytorch_padded_or_not() {
    let (manifest, files) = fixture();
    let stored: Evaluation = serde_json::from_slice(&files["evaluation.json"]).unwrap();
    let export = Export::open(&manifest, files).unwrap();
    for buckets in [false, true] {
        let session = Session::open(&export, Device::flex(), buckets).unwrap();
        for (model, texts) in stored.logits.iter().enumerate() {
            for ((text, _), wanted) in stored.texts.iter().zip(texts) {
                let found = now(session.logits(model, &export.encode(text).unwrap().ids)).unwrap();
                // f32 against f32: rounding only.
                for (a, b) in found.iter().zip(wanted) {
                    assert!((a - b).abs() < 1e-4, "{text}: {found:?}, not {wanted:?}");
                }
            }
        }
        assert!(now(session.logits(3, &[2, 3])).unwrap_err().to_string().contains("no model 3; the export has 3"));
    }
}

#[test]
fn what_is_cut_is_told() {
    let (manifest, files) = fixture();
    let export = Export::open(&manifest, files).unwrap();
    let short = export.encode("wonderful film").unwrap();
    assert_eq!((short.cut, short.pieces[0].as_str(), short.pieces.last().unwrap().as_str()), (0, "[CLS]", "[SEP]"));
    let words = (short.pieces.len() - 2) * 100;
    let long = export.encode(&"wonderful film ".repeat(100)).unwrap();
    assert_eq!((long.ids.len(), long.pieces.len()), (export.max_length(), export.max_length()));
    assert_eq!(long.cut, words + 2 - export.max_length());
    assert_eq!(long.pieces.last().unwrap(), "[SEP]");
    assert_eq!(long.cut_pieces.len(), 24);
}

#[test]
fn faults_name_the_file() {
    let open = |change: &dyn Fn(&mut String, &mut Files)| {
        let (mut manifest, mut files) = fixture();
        change(&mut manifest, &mut files);
        Export::open(&manifest, files).err().map(|error| error.to_string()).unwrap_or_default()
    };
    let without = |name: &str| open(&|_, files| drop(files.remove(name)));
    assert!(without("config.json").starts_with("config.json is missing"));
    assert!(without("plain-1.safetensors").starts_with("plain-1.safetensors is missing"));
    let version = open(&|manifest, _| *manifest = manifest.replace("\"version\": 1", "\"version\": 2"));
    assert!(version.contains("version 2, expected 1"), "{version}");
    assert!(open(&|manifest, _| manifest.clear()).starts_with("manifest.json: EOF"));
    let none = open(&|manifest, _| *manifest = manifest.replace("\"max_length\": 32", "\"max_length\": 2"));
    assert!(none.contains("three tokens"), "{none}");
    let damaged = open(&|_, files| drop(files.insert("folded-0.safetensors".into(), Cow::Borrowed(b"abc"))));
    assert!(damaged.starts_with("folded-0.safetensors: "), "{damaged}");

    // A model without one of its parts is found when it is put on a device.
    let (manifest, mut files) = fixture();
    let part = files["plain-0.safetensors"].clone();
    files.insert("folded-0.safetensors".into(), part);
    let export = Export::open(&manifest, files).unwrap();
    let error = Session::open(&export, Device::flex(), false).err().unwrap().to_string();
    assert!(error.contains("missing: `"), "{error}");
}

#[test]
fn folding_the_chains_gives_the_same_model_and_cutting_them_another() {
    let (manifest, files) = fixture();
    let stored: Evaluation = serde_json::from_slice(&files["evaluation.json"]).unwrap();
    let export = Export::open(&manifest, files).unwrap();
    let mut session = Session::open(&export, Device::flex(), false).unwrap();
    let chains = Chains::unfold(&export.weights()[0]).unwrap();
    let ids = export.encode(&stored.texts[0].0).unwrap().ids;
    let own = now(session.logits(0, &ids)).unwrap();
    let largest = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    let distance = |session: &Session| largest(&own, &now(session.logits(3, &ids)).unwrap());
    // The same matrices as chains, contracted in f32 on the device. Until there are some, there is no such model.
    let apart =
        |session: &Session| largest(&now(session.logits(3, &ids)).unwrap(), &now(session.logits(4, &ids)).unwrap());
    assert!(now(session.logits(3, &ids)).is_err() && now(session.logits(4, &ids)).is_err());
    let (refolded, whole) = chains.fold(None);
    assert_eq!([refolded.matrices.len(), refolded.chains.len()], [whole.matrices; 2]);
    assert!(whole.parameters > whole.of && whole.error < 1e-7, "{whole:?}");
    session.set_matrices(refolded);
    // Rounding of f32 weights, through the layers.
    assert!(distance(&session) < 1e-5);
    assert!(apart(&session) < 1e-4);
    let mut last = whole;
    for bond in [whole.widest / 2, whole.widest / 4, 1] {
        let (refolded, cut) = chains.fold(Some(bond));
        assert!(cut.parameters < last.parameters && cut.error > last.error, "{cut:?} {last:?}");
        session.set_matrices(refolded);
        assert!(apart(&session) < 1e-4, "as chains and folded, the same");
        last = cut;
    }
    assert!(last.error < 1.0 && distance(&session) > 1e-3);
    assert!(now(session.logits(5, &ids)).is_err());
}

#[test]
fn a_chain_of_numbers_is_multiplied_out_and_subtracted() {
    let w: Vec<f32> = (0..63 * 48).map(|k| ((k * k) as f32).sin()).collect();
    let wide: Vec<f64> = w.iter().copied().map(f64::from).collect();
    // Padded with zeros, with square cores in the middle.
    let mpo = decompose(&wide, 63, 48, &"8,1,1,8 x 6,1,1,8".parse().unwrap(), Gauge::Left).unwrap();
    let dims: Vec<u32> = mpo.cores().iter().flat_map(|core| core.dims).map(|dim| dim as u32).collect();
    let cores: Vec<f32> = mpo.cores().iter().flat_map(|core| &core.data).map(|x| *x as f32).collect();
    let found = now(contract(&chain(63, 48, &dims, &cores).unwrap(), &w, &Device::flex())).unwrap();
    assert_eq!(found.len(), 2 * w.len());
    for ((product, rest), w) in found[..w.len()].iter().zip(&found[w.len()..]).zip(&w) {
        // 3·48 + 2·4 roundings, of products of a row no longer than 1 and a column no longer than √64.
        assert!((product - w).abs() < 8.0 * 152.0 * f32::EPSILON);
        assert_eq!(*rest, w - product);
    }
    let fault = |dims: &[u32], cores: &[f32]| chain(63, 48, dims, cores).unwrap_err().to_string();
    assert!(fault(&dims, &cores[1..]).starts_with("the chain cannot be contracted: "));
    for dims in [&dims[..3], &dims[4..], &[], &[u32::MAX; 8]] {
        assert!(!fault(dims, &cores).is_empty());
    }
    let whole = chain(63, 48, &dims, &cores).unwrap();
    assert!(now(contract(&whole, &w[1..], &Device::flex())).is_err());
}
