//! Figures for all kinds of matrices and views: nothing panics, and every number is finite.

#![allow(clippy::unwrap_used)]

use overfold_web::protocol::{Reply, Request};
use overfold_web::session::Session;
use overfold_web::state::{Kind, State};

fn set(session: &mut Session, changes: &[(&str, &str)]) -> Reply {
    let changes = changes.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    session.answer(Request::Set { changes }).unwrap()
}

fn check(reply: &Reply, what: &str) {
    for figure in &reply.figures {
        for part in [&figure.picture, &figure.caption, &figure.table, &figure.how] {
            let fault = ["NaN", "inf\"", ">inf", "not finite"].into_iter().find(|word| part.contains(word));
            assert_eq!(fault, None, "{what}, {}: {part}", figure.id);
        }
        assert!(figure.caption.contains("<b>"), "{what}, {}: {}", figure.id, figure.caption);
    }
}

/// A safetensors file of one f32 matrix.
fn file(rows: usize, cols: usize, value: impl Fn(usize) -> f32) -> (Vec<u8>, Vec<u8>) {
    let data: Vec<u8> = (0..rows * cols).flat_map(|k| value(k).to_le_bytes()).collect();
    let header = format!(r#"{{"w":{{"dtype":"F32","shape":[{rows},{cols}],"data_offsets":[0,{}]}}}}"#, data.len());
    (header.into_bytes(), data)
}

fn show(session: &mut Session, rows: usize, cols: usize, value: impl Fn(usize) -> f32) -> Reply {
    let (header, data) = file(rows, cols, value);
    session.open("own.safetensors", 8 + (header.len() + data.len()) as u64, &header).unwrap();
    session.show("w", [0, 0], &data).unwrap()
}

#[test]
fn any_matrix_can_be_shown() {
    let mut session = Session::new().unwrap();
    for (rows, cols) in [(1, 1), (1, 9), (13, 1), (2, 3), (7, 11), (40, 30)] {
        check(&show(&mut session, rows, cols, |k| ((k * k) as f32).sin()), &format!("{rows}×{cols}"));
        check(&show(&mut session, rows, cols, |_| 0.0), &format!("zero {rows}×{cols}"));
        check(&show(&mut session, rows, cols, |_| 1e-30), &format!("constant {rows}×{cols}"));
    }
    // Back to what came with the page, and to the file again.
    let reply = set(&mut session, &[("matrix", "query")]);
    assert_eq!((reply.hash.as_str(), reply.figures.len()), ("", 14));
    check(&set(&mut session, &[("matrix", "own")]), "own again");
}

#[test]
fn any_chain_can_be_shown() {
    let mut session = Session::new().unwrap();
    // The last is padded with zeros.
    for shape in
        ["64 x 96", "8,8 x 12,8", "1,64 x 96,1", "2,2,2,2,2,2 x 2,2,2,2,2,3", "8,1*10,8 x 12,1*10,8", "4,4,5 x 4,6,4"]
    {
        check(&set(&mut session, &[("shape", shape), ("chain", shape)]), shape);
        let steps = session.state().last_step();
        for step in 0..=steps {
            check(&set(&mut session, &[("sweep", &step.to_string())]), shape);
        }
        for fold in 0..session.state().chain.order() {
            check(&set(&mut session, &[("fold", &fold.to_string())]), shape);
        }
        for kind in Kind::ALL {
            let bonds = session.state().chain.order().max(2) - 1;
            for bond in [1, bonds] {
                let changes = [
                    ("kind", kind.to_string()),
                    ("bond", bond.to_string()),
                    ("strength", "20".into()),
                    ("keep", "1".into()),
                ];
                check(&set(&mut session, &changes.each_ref().map(|(name, value)| (*name, value.as_str()))), shape);
            }
        }
    }
}

#[test]
fn a_narrow_screen_gets_a_narrow_picture() {
    let mut session = Session::new().unwrap();
    let reply = session.answer(Request::Open { hash: String::new(), width: 10.0 }).unwrap();
    assert!(reply.figures.iter().all(|figure| figure.picture.contains(r#"viewBox="0 0 260 "#)));
    check(&reply, "narrow");
}

#[test]
fn only_what_changed_is_drawn_again() {
    let mut session = Session::new().unwrap();
    session.answer(Request::Open { hash: String::new(), width: 700.0 }).unwrap();
    let drawn = |reply: Reply| reply.figures.iter().map(|figure| figure.id).collect::<Vec<_>>();
    assert_eq!(drawn(set(&mut session, &[("cut", "20")])), ["cut"]);
    assert_eq!(drawn(set(&mut session, &[("cut", "20")])), [""; 0]);
    assert_eq!(drawn(set(&mut session, &[("keep", "20")])), ["center"]);
    assert_eq!(
        drawn(set(&mut session, &[("chain", "8,8 x 12,8")])),
        ["hero", "surplus", "effects", "center", "fold", "ulp", "order"]
    );
}

#[test]
fn own_without_a_file_is_explained() {
    let mut session = Session::new().unwrap();
    let reply = set(&mut session, &[("matrix", "own")]);
    assert!(reply.notes[0].contains("Open a file first"));
    assert_eq!(session.state().matrix.to_string(), "query");
    assert_eq!(State::spelled(&session.state().shape), "2,4,4,2 x 4,3,4,2");
}
