//! Section 3: the singular values at every bond.

use overfold::mpo::{MpoError, spectra};

use super::{Context, Figure, Table};
use crate::draw::plot::{Frame, range, spectrum};
use crate::draw::svg::{Anchor, Svg};
use crate::math::linalg::{norm, tail};
use crate::number::{percent, short};

pub fn draw(context: &Context<'_>) -> Result<Figure, MpoError> {
    let (matrix, shape) = (context.matrix, &context.state.shape);
    let spectra = spectra(&matrix.w, matrix.rows, matrix.cols, shape)?;
    let across = ((context.width / 200.0) as usize).clamp(1, spectra.len().max(1));
    let lines = spectra.len().div_ceil(across);
    let (w, h) = (context.width / across as f64, 170.0);
    let mut svg = Svg::new(context.width, (lines as f64 * h).max(20.0));
    let range = range(spectra.iter().flatten());
    for (k, s) in spectra.iter().enumerate() {
        let (x, y) = ((k % across) as f64 * w, (k / across) as f64 * h);
        let frame = Frame { x: x + 44.0, y: y + 30.0, w: w - 56.0, h: h - 62.0, count: s.len(), range };
        svg.text("strong", Anchor::Start, [x + 44.0, y + 18.0], &format!("bond {}: {} values", k + 1, s.len()));
        frame.grid(&mut svg);
        spectrum(&mut svg, &frame, s, s.len());
        svg.text("small", Anchor::Middle, [frame.at(0), y + h - 16.0], "1");
        svg.text("small", Anchor::Middle, [frame.at(s.len() - 1), y + h - 16.0], &s.len().to_string());
    }
    let halves: Vec<String> =
        spectra.iter().map(|s| percent(tail(s, s.len() / 2) / norm(s).max(f64::MIN_POSITIVE))).collect();
    let caption = if spectra.is_empty() {
        "<b>One core, no bond, no spectrum.</b>".into()
    } else {
        format!(
            "<b>Every bond has singular values of its own, and every square sum is ‖W‖².</b> They are those of the paired matrix unfolded at that \
             bond. Dropping the smaller half of them at one bond alone would lose {} of ‖W‖. OPF drops none.",
            halves.join(", ")
        )
    };
    let mut table =
        Table::new("Singular values at every bond", &["bond", "values", "largest", "median", "smallest", "√Σσ²"]);
    for (k, s) in spectra.iter().enumerate() {
        table.row([
            (k + 1).to_string(),
            s.len().to_string(),
            short(s[0]),
            short(s[s.len() / 2]),
            short(s[s.len() - 1]),
            short(norm(s)),
        ]);
    }
    let how = format!(
        "Singular values in f64 of the interleaved matrix X, unfolded between pairs k and k + 1. ‖W‖ = {}.",
        short(matrix.norm)
    );
    Ok(Figure {
        picture: svg.image("Singular values at every bond, one small chart each, on one logarithmic axis."),
        caption,
        table,
        how,
    })
}
