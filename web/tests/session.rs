//! Figures for all kinds of matrices and views: nothing panics, and every number is finite.

#![allow(clippy::unwrap_used)]

use overfold::mpo::{Core, Mpo};
use overfold_web::protocol::{Reply, Request};
use overfold_web::session::Session;
use overfold_web::state::{Kind, Source, State};

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
fn what_was_kept_is_what_is_computed_anew() {
    let all = |reply: Reply| -> Vec<[String; 4]> {
        assert_eq!(reply.figures.len(), 14);
        reply.figures.into_iter().map(|f| [f.picture, f.caption, f.table, f.how]).collect()
    };
    let mut session = Session::new().unwrap();
    session.answer(Request::Open { hash: String::new(), width: 700.0 }).unwrap();
    let changes = [
        ("sweep", "3"),
        ("strength", "9"),
        ("shape", "2,4,8 x 8,4,3"),
        ("keep", "5"),
        ("kind", "diagonal"),
        ("chain", "64 x 96"),
        ("chain", "4,4,4 x 4,6,4"),
        ("bond", "2"),
        ("seed", "8"),
        ("matrix", "positions"),
        ("keep", "2"),
    ];
    for change in changes {
        let hash = set(&mut session, &[change]).hash;
        // At another width every figure is drawn, from what was kept.
        let kept = all(session.answer(Request::Width { width: 600.0 }).unwrap());
        session.answer(Request::Width { width: 700.0 }).unwrap();
        // Coming from another matrix nothing is kept.
        let mut fresh = Session::new().unwrap();
        let other = if session.state().matrix == Source::Query { "positions" } else { "query" };
        set(&mut fresh, &[("matrix", other)]);
        let anew = all(fresh.answer(Request::Open { hash, width: 600.0 }).unwrap());
        assert!(kept == anew, "{change:?}");
    }
}

#[test]
fn own_without_a_file_is_explained() {
    let mut session = Session::new().unwrap();
    let reply = set(&mut session, &[("matrix", "own")]);
    assert!(reply.notes[0].contains("Open a file first"));
    assert_eq!(session.state().matrix.to_string(), "query");
    assert_eq!(State::spelled(&session.state().shape), "2,4,4,2 x 4,3,4,2");
}

/// What a GPU would send: the product of each chain and what is left of W, in f32.
fn multiplied(session: &Session, figure: &str, off: f32) -> (u32, Vec<f32>) {
    let work = session.work(figure).unwrap();
    let mut numbers = Vec::new();
    for (k, dims) in work.chains.iter().enumerate() {
        let mut rest = session.cores(figure, k).into_iter().map(f64::from);
        let cores = dims.iter().map(|&dims| Core { dims, data: rest.by_ref().take(dims.iter().product()).collect() });
        let product = Mpo::from_cores(work.rows, work.cols, cores.collect()).unwrap().contract();
        let product: Vec<f32> = product.iter().map(|x| *x as f32 + off).collect();
        let residual: Vec<f32> = session.matrix().iter().zip(&product).map(|(w, x)| w - x).collect();
        numbers.extend([product, residual].concat());
    }
    (work.drawing, numbers)
}

#[test]
fn what_the_gpu_computes_is_shown_with_its_name_while_it_is_of_use() {
    let mut session = Session::new().unwrap();
    let reply = session.answer(Request::Open { hash: "#v=1&fold=2".into(), width: 700.0 }).unwrap();
    let with_chains: Vec<_> = reply.figures.iter().map(|f| f.id).filter(|id| session.work(id).is_some()).collect();
    assert_eq!(with_chains, ["cut", "effects", "center", "fold"]);
    for figure in &reply.figures {
        assert_eq!(figure.how.contains("in f64 on the CPU."), with_chains.contains(&figure.id), "{}", figure.id);
    }
    for id in with_chains {
        let (drawing, numbers) = multiplied(&session, id, 0.0);
        let drawn = session.multiplied(id, drawing, &numbers).unwrap().unwrap();
        assert!(drawn.how.contains("in f32 on the GPU, by WebGPU"), "{id}: {}", drawn.how);
        check(&Reply { figures: vec![drawn], ..Reply::default() }, "by the GPU");
        let (drawing, numbers) = multiplied(&session, id, 0.01);
        let drawn = session.multiplied(id, drawing, &numbers).unwrap().unwrap();
        assert!(drawn.how.contains("on the CPU: the GPU’s is"), "{id}: {}", drawn.how);
        let before = reply.figures.iter().find(|figure| figure.id == id).unwrap();
        assert_eq!((&drawn.picture, &drawn.caption), (&before.picture, &before.caption), "{id}");
        // Of another length.
        assert!(session.multiplied(id, drawing, &numbers[1..]).unwrap().is_none());
    }
    // Too late: the cut has moved.
    let (drawing, numbers) = multiplied(&session, "cut", 0.0);
    set(&mut session, &[("cut", "20")]);
    assert!(session.multiplied("cut", drawing, &numbers).unwrap().is_none());
    // Not late: only another figure was drawn.
    let (drawing, numbers) = multiplied(&session, "cut", 0.0);
    set(&mut session, &[("keep", "20")]);
    let drawn = session.multiplied("cut", drawing, &numbers).unwrap().unwrap();
    assert!(drawn.caption.contains("Keeping 20 of 64"), "{}", drawn.caption);
    // Nothing is multiplied out for rank 0, before the last contraction, or by who is not there.
    set(&mut session, &[("cut", "0"), ("fold", "1")]);
    for id in ["cut", "fold", "hero", "nobody"] {
        assert!(session.work(id).is_none() && session.cores(id, 0).is_empty());
        assert!(session.multiplied(id, 0, &[]).unwrap().is_none());
    }
}
