//! Section 3: the sweep of SVDs, step by step.

use overfold::mpo::MpoError;

use super::{Context, Figure, Table, pair};
use crate::draw::diagram::{Leg, Node, Role, chain};
use crate::draw::subscript;
use crate::number::{factors, short, size};

pub fn draw(context: &Context<'_>) -> Result<Figure, MpoError> {
    let (matrix, shape, step) = (context.matrix, &context.state.shape, context.state.sweep);
    let sweep = &context.prepared.sweep;
    let (rows, cols) = (shape.row_factors(), shape.col_factors());
    let order = shape.order();
    let legs = |from: usize| -> (Vec<Leg>, Vec<Leg>) {
        (from..order).map(|k| pair(k, rows[k], cols[k])).map(|[i, j]| (i, j)).unzip()
    };
    let rest = |from: usize, name: &str, detail: String, marked: bool| {
        let (up, down) = legs(from);
        Node { role: Role::Matrix, name: name.into(), up, down, detail, marked }
    };
    let peeled = |k: usize, marked: bool| {
        let [i, j] = pair(k, rows[k], cols[k]);
        let left = if k == 0 { 1 } else { sweep.cuts[k - 1].s.len() };
        let right = sweep.cuts[k].s.len();
        let detail = format!(
            "Core {} of {order}: {left} by {} by {} by {right}, {} numbers, orthogonal from the left.",
            k + 1,
            rows[k],
            cols[k],
            size(sweep.cuts[k].core.len())
        );
        Node { role: Role::Left, name: format!("A{}", subscript(k + 1)), up: vec![i], down: vec![j], detail, marked }
    };
    let bond = |k: usize| sweep.cuts[k].s.len();
    // Steps after the pairing come in twos: the SVD of bond k, then its core is peeled off.
    let (k, svd) = (step.saturating_sub(2) / 2, step >= 2 && step.is_multiple_of(2));
    let (nodes, bonds, words): (Vec<Node>, Vec<usize>, String) = match step {
        0 => {
            let (up, down) = (vec![Leg::new("i", matrix.rows)], vec![Leg::new("j", matrix.cols)]);
            let detail = format!("The matrix: {} by {}, {} numbers.", matrix.rows, matrix.cols, size(matrix.w.len()));
            let node = Node { role: Role::Matrix, name: "W".into(), up, down, detail, marked: true };
            (vec![node], vec![], format!("W is a {}×{} matrix: two legs.", matrix.rows, matrix.cols))
        }
        1 => {
            let words = format!(
                "The row index is read as the digits {}, the column index as {}. Digit k of the one stands beside digit k of the other: {order} pairs. \
                 No number changes; only their order does.",
                factors(rows),
                factors(cols)
            );
            (
                vec![rest(0, "X", format!("All {} numbers, as {order} pairs of indices.", size(matrix.w.len())), true)],
                vec![],
                words,
            )
        }
        _ if svd => {
            let cut = &sweep.cuts[k];
            let mut nodes: Vec<Node> = (0..k).map(|k| peeled(k, false)).collect();
            let mut bonds: Vec<usize> = (0..k).map(bond).collect();
            nodes.push(peeled(k, true));
            nodes.push(Node {
                role: Role::Values,
                name: "Λ".into(),
                up: vec![],
                down: vec![],
                detail: format!(
                    "{} singular values, from {} to {}.",
                    cut.s.len(),
                    short(cut.s[0]),
                    short(cut.s[cut.s.len() - 1])
                ),
                marked: true,
            });
            nodes.push(rest(
                k + 1,
                "Vᵀ",
                format!("The right singular vectors: {} by {}.", cut.s.len(), cut.cols),
                true,
            ));
            bonds.extend([cut.s.len(), cut.s.len()]);
            let words = format!(
                "Cut {}: what is left is unfolded to {}×{}, and its SVD has min({}, {}) = {} singular values, {} to {}. That is bond {}.",
                k + 1,
                size(cut.rows),
                size(cut.cols),
                size(cut.rows),
                size(cut.cols),
                cut.s.len(),
                short(cut.s[0]),
                short(cut.s[cut.s.len() - 1]),
                k + 1
            );
            (nodes, bonds, words)
        }
        _ => {
            let cut = &sweep.cuts[k];
            let mut nodes: Vec<Node> = (0..=k).map(|n| peeled(n, n == k)).collect();
            let bonds: Vec<usize> = (0..=k).map(bond).collect();
            let done = k + 2 == order;
            if done {
                let [i, j] = pair(k + 1, rows[k + 1], cols[k + 1]);
                let detail = format!(
                    "Core {order} of {order}: {} by {} by {}, {} numbers; it holds the norm.",
                    bond(k),
                    rows[k + 1],
                    cols[k + 1],
                    size(sweep.last.len())
                );
                nodes.push(Node {
                    role: Role::Center,
                    name: format!("A{}", subscript(order)),
                    up: vec![i],
                    down: vec![j],
                    detail,
                    marked: true,
                });
            } else {
                nodes.push(rest(k + 1, "ΛVᵀ", format!("Carried on: {} by {}.", cut.s.len(), cut.cols), true));
            }
            let words = format!(
                "U becomes core {}, Λ·Vᵀ is carried on with the whole norm, {}. {}",
                k + 1,
                short(cut.carried),
                if done {
                    "It is the last core: the chain is complete, and nothing was left out."
                } else {
                    "The next cut follows."
                }
            );
            (nodes, bonds, words)
        }
    };
    let picture =
        chain(context.width, &nodes, &bonds).group(&format!("Step {step} of the sweep: {} tensors.", nodes.len()));

    let error = sweep.error / matrix.norm.max(f64::MIN_POSITIVE);
    let caption = format!("<b>Step {step} of {}.</b> {words}", context.state.last_step());
    let mut table = Table::new(
        "The cuts of the sweep",
        &["bond", "unfolding", "d", "largest σ", "smallest σ", "numbers in its core", "norm carried"],
    );
    for (k, cut) in sweep.cuts.iter().enumerate() {
        table.row([
            (k + 1).to_string(),
            format!("{}×{}", size(cut.rows), size(cut.cols)),
            size(cut.s.len()),
            short(cut.s[0]),
            short(cut.s[cut.s.len() - 1]),
            size(cut.core.len()),
            short(cut.carried),
        ]);
    }
    table.row(["last core".into(), "–".into(), "–".into(), "–".into(), "–".into(), size(sweep.last.len()), "–".into()]);
    let how = format!(
        "TT-SVD in f64, without truncation (Oseledets 2011, algorithm 1; OPF algorithm 2). All cores multiplied out differ from W by {} of ‖W‖. \
         Triangles are orthogonal from the left (AᵀA = 1), the double ring holds the norm.",
        short(error)
    );
    Ok(Figure { picture, caption, table, how })
}
