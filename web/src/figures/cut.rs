//! Section 2: one cut of the matrix, and what it loses.

use overfold::mpo::{Mpo, MpoError};

use super::{Context, Figure, Table};
use crate::draw::heat::Map;
use crate::draw::plot::{Frame, range, spectrum};
use crate::draw::svg::{Anchor, Svg};
use crate::math::linalg::{norm, tail};
use crate::math::product::Product;
use crate::number::{percent, short, size};

pub fn chains(context: &Context<'_>) -> Result<Vec<Mpo>, MpoError> {
    Ok(context.matrix.svd.chain(context.state.cut)?.into_iter().collect())
}

pub fn draw(context: &Context<'_>) -> Result<Figure, MpoError> {
    let (matrix, keep) = (context.matrix, context.state.cut);
    let (s, rank) = (&matrix.svd.s, matrix.svd.s.len());
    let nothing;
    let (kept, lost) = match context.products.shown().first() {
        Some(Product { matrix: kept, residual: lost }) => (kept, lost),
        None => {
            nothing = vec![0.0; matrix.w.len()];
            (&nothing, &matrix.w)
        }
    };
    let (predicted, achieved) = (tail(s, keep), norm(lost));
    let relative = |x: f64| if matrix.norm > 0.0 { x / matrix.norm } else { 0.0 };

    let chart = 230.0;
    let maps = [
        ("W", Map::of(&matrix.w, matrix.rows, matrix.cols)),
        ("kept", Map::of(kept, matrix.rows, matrix.cols)),
        ("lost", Map::of(lost, matrix.rows, matrix.cols)),
    ];
    let (across, down) = (maps[0].1.cols as f64, maps[0].1.rows as f64);
    // Three maps side by side; whole pixels where there is room, so that cells have one size.
    let gap = 12.0;
    let cell = ((context.width - 2.0 * gap - 2.0) / (3.0 * across)).clamp(0.5, 4.0);
    let cell = if cell > 1.0 { (cell * 2.0).floor() / 2.0 } else { cell };
    let top = maps[0].1.top();
    let mut svg = Svg::new(context.width, chart + 72.0 + down * cell);
    let frame = Frame { x: 46.0, y: 14.0, w: context.width - 60.0, h: chart - 40.0, count: rank, range: range(s) };
    let edge = frame.edge(keep);
    svg.rect("tail", [edge, frame.y], [frame.x + frame.w - edge, frame.h]);
    frame.grid(&mut svg);
    spectrum(&mut svg, &frame, s, keep);
    svg.line("cut", [edge, frame.y - 8.0], [edge, frame.y + frame.h + 6.0]);
    for k in [1, rank.div_ceil(4), rank.div_ceil(2), (3 * rank).div_ceil(4), rank] {
        svg.text("small", Anchor::Middle, [frame.at(k - 1), frame.y + frame.h + 16.0], &k.to_string());
    }
    // The words of the tail stand where there is room for them.
    let (anchor, x) = if keep * 2 > rank { (Anchor::End, edge - 8.0) } else { (Anchor::End, frame.x + frame.w - 8.0) };
    let words = if keep * 2 > rank { "lost, right: " } else { "lost: " };
    svg.text("strong halo", anchor, [x, frame.y + 18.0], &format!("{words}{} of ‖W‖", percent(relative(predicted))));
    svg.raw(&format!(
        r#"<rect class="grip" data-control="cut" data-x="{:.1}" data-w="{:.1}" data-count="{rank}" x="{:.1}" y="0" width="{:.1}" height="{:.1}"/>"#,
        frame.x, frame.w, frame.x - 12.0, frame.w + 24.0, frame.y + frame.h + 6.0
    ));
    for (n, (name, map)) in maps.iter().enumerate() {
        let x = 1.0 + n as f64 * (across * cell + gap);
        svg.text("strong", Anchor::Start, [x, chart + 32.0], name);
        map.draw(&mut svg, [x, chart + 42.0], cell, top);
    }

    svg.text("small", Anchor::Start, [1.0, chart + 60.0 + down * cell], "dark: near 0, yellow: large");

    let (rows, cols) = (matrix.rows, matrix.cols);
    let needed = needed(s, 0.5);
    let guess = match context.state.guess {
        Some(guess) if guess == needed => " Your guess was right.".into(),
        Some(guess) => format!(" You guessed {guess}; {guess} values leave {}.", percent(relative(tail(s, guess)))),
        None => String::new(),
    };
    let numbers = keep * (rows + cols);
    let caption = format!(
        "<b>The discarded singular values are the error.</b> Keeping {keep} of {rank} singular values takes {keep}·({rows} + {cols}) = {} \
         numbers instead of {}. √Σσ² over the shaded tail predicts an error of {}; subtracting the two matrices gives {}, which is {} of \
         ‖W‖. An error of at most half of ‖W‖ takes {needed} of them.{guess}",
        size(numbers),
        size(rows * cols),
        short(predicted),
        short(achieved),
        percent(relative(achieved)),
    );
    let mut table = Table::new(
        "Singular values of W, and the error if only this many are kept",
        &["k", "σ", "error", "error / ‖W‖"],
    );
    for k in 0..=rank {
        let error = tail(s, k);
        let value = if k == 0 { "none".into() } else { short(s[k - 1]) };
        table.row([k.to_string(), value, short(error), percent(relative(error))]);
    }
    let block = maps[0].1.block;
    let how = format!(
        "W is {}. SVD in f64 in this page. Predicted: √(σ²<sub>{}</sub> + … + σ²<sub>{rank}</sub>). Achieved: ‖W − W′‖ with W′ = U<sub>k</sub>Λ<sub>k</sub>V<sub>k</sub>ᵀ, \
         which differs by {}.{} A cell of the maps is the root mean square of {block}×{block} entries; all three \
         share one scale, whose deepest shade is {}.",
        crate::draw::svg::escape(&matrix.origin),
        keep + 1,
        short((predicted - achieved).abs()),
        context.products.words(),
        short(top)
    );
    let label = format!(
        "Singular values of W on a logarithmic axis, cut after {keep} of {rank}; below, W, what is kept and what is lost."
    );
    Ok(Figure { picture: svg.image(&label), caption, table, how })
}

/// How many values must be kept for an error of at most this fraction.
fn needed(s: &[f64], fraction: f64) -> usize {
    let limit = norm(s) * fraction;
    (0..=s.len()).find(|k| tail(s, *k) <= limit).unwrap_or(s.len())
}
