//! Section 7: the chain closes to one node.

use overfold::mpo::{Mpo, MpoError};

use super::surplus::core_node;
use super::{Context, Figure, Table, pair};
use crate::draw::diagram::{Leg, Node, Role, chain};
use crate::draw::subscript;
use crate::number::{short, size};

/// Before the last contraction the matrix is not shown.
pub fn chains(context: &Context<'_>) -> Result<Vec<Mpo>, MpoError> {
    let done = context.state.fold + 1 >= context.state.chain.order();
    Ok(if done { vec![context.prepared.chain.clone()] } else { Vec::new() })
}

pub fn draw(context: &Context<'_>) -> Result<Figure, MpoError> {
    let (matrix, shape, step) = (context.matrix, &context.state.chain, context.state.fold);
    let (rows, cols, bonds) = (shape.row_factors(), shape.col_factors(), shape.bonds());
    let order = shape.order();
    let dims = shape.core_dims();
    let mpo = &context.prepared.chain;
    let error = context.products.error(0) / matrix.norm.max(f64::MIN_POSITIVE);

    let done = step + 1 >= order;
    let external: usize = rows[..=step].iter().chain(&cols[..=step]).product();
    let outer = bonds.get(step).copied().unwrap_or(1);
    let mut nodes = Vec::new();
    if done {
        let (up, down) = (vec![Leg::new("i", matrix.rows)], vec![Leg::new("j", matrix.cols)]);
        let detail = format!("The matrix again: {} by {}, {} numbers.", matrix.rows, matrix.cols, size(matrix.w.len()));
        nodes.push(Node { role: Role::Matrix, name: "W".into(), up, down, detail, marked: true });
    } else if step == 0 {
        nodes.push(core_node(0, order, dims[0], true));
    } else {
        let (up, down) = (0..=step).map(|k| pair(k, rows[k], cols[k])).map(|[i, j]| (i, j)).unzip();
        let dots = if step > 1 { "…" } else { "" };
        let name = format!("T{}{dots}T{}", subscript(1), subscript(step + 1));
        let detail = format!(
            "The product of the first {} cores: {external} by {outer}, {} numbers.",
            step + 1,
            size(external * outer)
        );
        nodes.push(Node { role: Role::Matrix, name, up, down, detail, marked: true });
    }
    nodes.extend((step + 1..order).map(|k| core_node(k, order, dims[k], false)));
    let open: Vec<usize> = bonds.iter().skip(step).copied().collect();
    let picture =
        chain(context.width, &nodes, &open).group(&format!("The chain after {step} of {} contractions.", order - 1));

    let mut table = Table::new(
        "Contractions from the left",
        &["contraction", "joins bond", "result", "numbers held", "operations"],
    );
    let (mut flops, mut size_left) = (0usize, dims[0][1] * dims[0][2]);
    for (k, [left, i, j, right]) in dims.iter().copied().enumerate().skip(1) {
        let n = i * j;
        let cost = 2 * size_left * left * n * right;
        flops += cost;
        size_left *= n;
        table.row([
            k.to_string(),
            format!("{k} (d = {left})"),
            format!("{}×{right}", size(size_left)),
            size(size_left * right),
            size(cost),
        ]);
    }
    let words = if order == 1 {
        "One core is the matrix already.".to_string()
    } else if done {
        format!(
            "All {} bonds are summed over; the legs i and j remain. {} numbers became {} again, and W is back up to {} of ‖W‖. The model never \
             needs the cores again: same shape, same size, same speed as before.",
            order - 1,
            size(mpo.parameters()),
            size(matrix.w.len()),
            short(error)
        )
    } else {
        format!(
            "{} {} to sum over. Joining all takes {} operations, once.",
            order - 1 - step,
            if order - 1 - step == 1 { "bond is left" } else { "bonds are left" },
            size(flops)
        )
    };
    let caption = format!("<b>Folding, step {step} of {}.</b> {words}", order - 1);
    let how = format!(
        "OPF eq. 9, from the left: [N, d]·[d, n·d′] = [N·n, d′], then digit pairs are put back in the order of rows and columns. A multiplication and an \
         addition are two operations.{}",
        context.products.words()
    );
    Ok(Figure { picture, caption, table, how })
}
