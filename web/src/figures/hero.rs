//! Section 0: a matrix, its chain, and the same matrix again.

use overfold::mpo::MpoError;

use super::{Context, Figure, Table};
use crate::draw::heat::Map;
use crate::draw::svg::{Anchor, Svg};
use crate::math::linalg::distance;
use crate::number::{factors, ratio, short, size};

pub fn draw(context: &Context<'_>) -> Result<Figure, MpoError> {
    let (matrix, shape) = (context.matrix, &context.state.chain);
    let (rows, cols) = (matrix.rows, matrix.cols);
    let chain = &context.prepared.chain;
    let again = chain.contract();
    let error = distance(&again, &matrix.w) / matrix.norm.max(f64::MIN_POSITIVE);
    let (before, during) = (rows * cols, chain.parameters());

    let maps = [Map::of(&matrix.w, rows, cols), Map::of(&again, rows, cols)];
    let wide = context.width >= 540.0;
    let cell = if wide { (context.width * 0.22 / maps[0].cols as f64).min(3.0) } else { 2.5 };
    let (w, h) = (maps[0].cols as f64 * cell, maps[0].rows as f64 * cell);
    let stage = h.max(70.0) + 52.0;
    let mut svg = Svg::new(context.width, if wide { stage } else { 3.0 * stage + 60.0 });
    let middle = context.width / 2.0;
    // Top left corners of the two blocks, center of the chain.
    let (first, last, center) = if wide {
        ([1.0, 1.0], [context.width - w - 1.0, 1.0], [middle, h / 2.0])
    } else {
        ([middle - w / 2.0, 1.0], [middle - w / 2.0, 2.0 * stage + 60.0], [middle, stage + 30.0 + h / 2.0])
    };
    for (map, corner, words) in [(&maps[0], first, "before"), (&maps[1], last, "after")] {
        map.draw(&mut svg, corner, cell, maps[0].top());
        let x = corner[0] + w / 2.0;
        svg.text("strong", Anchor::Middle, [x, corner[1] + h + 20.0], &format!("{words}: {}", size(before)));
        svg.text("", Anchor::Middle, [x, corner[1] + h + 38.0], &format!("{rows}×{cols} numbers"));
    }
    // At most seven cores are drawn; more would not be told apart.
    let drawn = shape.order().min(7);
    let pitch = 34.0;
    let start = center[0] - pitch * (drawn as f64 - 1.0) / 2.0;
    let end = start + pitch * (drawn as f64 - 1.0);
    svg.thick("bond", [start, center[1]], [end, center[1]], 5.0);
    for k in 0..drawn {
        let x = start + pitch * k as f64;
        svg.thick("leg-i", [x, center[1]], [x, center[1] - 30.0], 3.0);
        svg.thick("leg-j", [x, center[1]], [x, center[1] + 30.0], 3.0);
        svg.circle("core", [x, center[1]], 11.0);
    }
    let below = center[1] + h / 2.0;
    svg.text("strong", Anchor::Middle, [center[0], below + 20.0], &format!("while fine-tuning: {}", size(during)));
    svg.text("", Anchor::Middle, [center[0], below + 38.0], &format!("{} cores", shape.order()));
    let arrows = if wide {
        [
            ([first[0] + w + 8.0, center[1]], [start - 22.0, center[1]]),
            ([end + 22.0, center[1]], [last[0] - 8.0, center[1]]),
        ]
    } else {
        [([middle, stage - 6.0], [middle, center[1] - 40.0]), ([middle, below + 48.0], [middle, last[1] - 6.0])]
    };
    for ((from, to), word) in arrows.into_iter().zip(["unfold", "fold"]) {
        arrow(&mut svg, from, to);
        let at = [(from[0] + to[0]) / 2.0, (from[1] + to[1]) / 2.0];
        let (anchor, at) =
            if wide { (Anchor::Middle, [at[0], at[1] - 9.0]) } else { (Anchor::Start, [at[0] + 10.0, at[1] + 5.0]) };
        svg.text("", anchor, at, word);
    }

    let caption = format!(
        "<b>The same matrix, before and after; more numbers in between.</b> This real {rows}×{cols} piece of a language model has {} numbers. \
         Unfolded into {} cores it has {}, {} times as many. Folding multiplies them out again: the relative difference is {}.",
        size(before),
        shape.order(),
        size(during),
        ratio(during as f64 / before as f64),
        short(error)
    );
    let mut table = Table::new("Numbers before, during and after fine-tuning", &["when", "numbers", "stored as"]);
    table.row(["before".into(), size(before), format!("matrix {rows}×{cols}")]);
    let list = format!("cores with rows {} and columns {}", factors(shape.row_factors()), factors(shape.col_factors()));
    table.row(["while fine-tuning".into(), size(during), list]);
    table.row(["after".into(), size(before), format!("matrix {rows}×{cols}")]);
    let how = format!(
        "Unfolded by SVDs in f64 (OPF algorithm 2), folded by multiplying the cores (OPF eq. 9); the difference is ‖fold(unfold(W)) − W‖ / ‖W‖. \
         W: {}.",
        crate::draw::svg::escape(&matrix.origin)
    );
    let label =
        format!("A {rows} by {cols} matrix is unfolded into a chain of {} cores and folded back.", shape.order());
    Ok(Figure { picture: svg.image(&label), caption, table, how })
}

fn arrow(svg: &mut Svg, from: [f64; 2], to: [f64; 2]) {
    svg.line("arrow", from, to);
    let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
    let length = dx.hypot(dy).max(1.0);
    let (ux, uy) = (dx / length * 8.0, dy / length * 8.0);
    let tip = [[to[0] - ux - uy * 0.6, to[1] - uy + ux * 0.6], to, [to[0] - ux + uy * 0.6, to[1] - uy - ux * 0.6]];
    svg.polyline("arrow", tip);
}
