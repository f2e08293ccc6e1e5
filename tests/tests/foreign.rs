//! What we write is read by a program that is not ours: candle's BERT (`tests/candle`) computes the same logits from a
//! folded folder.

mod common;

use std::io::Write;
use std::process::{Command, Stdio};

#[test]
fn candle_computes_the_same_logits_from_a_folded_folder() {
    let Some(reader) = std::env::var_os("OVERFOLD_CANDLE_CHECK") else {
        println!("skipped: OVERFOLD_CANDLE_CHECK does not name candle-check; scripts/test builds it from tests/candle");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let flags = ["--method", "dynamic", "--epochs", "2", "--out", out.to_str().unwrap()];
    common::succeed(&common::with(&common::tiny_flags(dir.path()), &flags));
    let model = out.join("model");
    let arguments = ["predict", "--json", "--device", "cpu", "--max-length", "16", "--model", model.to_str().unwrap()];
    let single = ["the food was great", "very nice", "the room is not bad , and the price is good ."];
    let texts = [&arguments[..], &single].concat();
    let pairs = [&texts[..], &["--pair", "a room", "--pair", "the staff was awful", "--pair", "good"]].concat();
    for arguments in [texts, pairs] {
        let printed = common::succeed(&arguments);
        assert_eq!(printed.lines().count(), single.len());
        let mut child = Command::new(&reader)
            .arg(&model)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}", reader.display()));
        child.stdin.take().unwrap().write_all(printed.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let difference: f64 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
        // Two sums in f32 over 48 terms and two layers, of logits near 1.
        assert!(difference < 1e-5, "logits differ by {difference}");
    }
}
