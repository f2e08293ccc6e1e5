//! Section 4: the surplus is the sum of the squared bonds.

use overfold::mpo::MpoError;

use super::{Context, Figure, Table, pair};
use crate::draw::diagram::{Node, Role, chain};
use crate::draw::subscript;
use crate::math::linalg::distance;
use crate::number::{ratio, short, size};

pub fn draw(context: &Context<'_>) -> Result<Figure, MpoError> {
    let (matrix, shape) = (context.matrix, &context.state.chain);
    let mpo = &context.prepared.chain;
    let order = shape.order();
    let nodes: Vec<Node> =
        mpo.cores().iter().enumerate().map(|(k, core)| core_node(k, order, core.dims, false)).collect();
    let label = format!("A chain of {order} cores with bonds {:?}.", mpo.bonds());
    let picture = chain(context.width, &nodes, &mpo.bonds()).group(&label);

    let dense = shape.padded_rows() * shape.padded_cols();
    let (n, squares) = (mpo.parameters(), mpo.bonds().iter().map(|d| d * d).sum::<usize>());
    let sum = if mpo.bonds().is_empty() {
        "nothing".into()
    } else {
        mpo.bonds().iter().map(|d| format!("{}²", size(*d))).collect::<Vec<_>>().join(" + ")
    };
    let padded =
        if dense == matrix.w.len() { String::new() } else { format!(" (padded from {})", size(matrix.w.len())) };
    let caption = format!(
        "<b>N − I·J = Σ d². Always.</b> <span class=\"counters\"><span><b>{}</b> N, numbers in the chain</span> <span><b>{}</b> I·J, numbers in the \
         matrix{padded}</span> <span><b>{}</b> N − I·J</span> <span><b>{}</b> Σ d² = {sum}</span></span> The chain has {} times the numbers of the \
         matrix, and can express exactly the same matrices: the surplus counts the ways to write one matrix, not more matrices.",
        size(n),
        size(dense),
        size(n - dense),
        size(squares),
        ratio(n as f64 / dense as f64)
    );
    let mut table = Table::new("Numbers in the chain", &["core", "d left", "i", "j", "d right", "numbers"]);
    for (k, core) in mpo.cores().iter().enumerate() {
        table.row(std::iter::once((k + 1).to_string()).chain(core.dims.map(size)).chain([size(core.data.len())]));
    }
    let error = distance(&mpo.contract(), &matrix.w) / matrix.norm.max(f64::MIN_POSITIVE);
    let how = format!(
        "N is counted in the cores of this chain; Σ d² from its bonds. Each bond may carry any invertible d×d matrix X and its inverse without \
         changing W: d² free choices at every bond. The chain folds back to W up to {} of ‖W‖.",
        short(error)
    );
    Ok(Figure { picture, caption, table, how })
}

/// Core `k` (from 0) of a chain.
pub(super) fn core_node(k: usize, order: usize, dims: [usize; 4], marked: bool) -> Node {
    let [left, i, j, right] = dims;
    let link = k > 0 && k + 1 < order && i * j == 1;
    let [up, down] = pair(k, i, j);
    let what = if link { "; the identity in this gauge" } else { "" };
    let detail = format!(
        "Core {} of {order}: {left} by {i} by {j} by {right}, {} numbers{what}.",
        k + 1,
        size(left * i * j * right)
    );
    Node { role: Role::Core, name: format!("T{}", subscript(k + 1)), up: vec![up], down: vec![down], detail, marked }
}
