//! Section 3: the rank of a matrix is not the rank at its bonds.

use overfold::mpo::{MpoError, deinterleave, matrix_product, spectra};

use super::{Context, Figure, Table};
use crate::draw::plot::{Frame, range, spectrum};
use crate::draw::svg::{Anchor, Svg};
use crate::math::linalg::{Random, Svd, rank};
use crate::number::short;
use crate::state::Sample;

/// Values below this part of the largest are rounding errors, and drawn at the bottom.
const FLOOR: f64 = 1e-17;

pub fn draw(context: &Context<'_>) -> Result<Figure, MpoError> {
    let (matrix, state) = (context.matrix, context.state);
    let (rows, cols, shape) = (matrix.rows, matrix.cols, &state.shape);
    let (a, name) = match state.sample {
        Sample::Whole => (matrix.w.clone(), "W itself".to_string()),
        Sample::LowRank => {
            (matrix.svd.chain(4)?.map_or_else(Vec::new, |chain| chain.contract()), "W cut to rank 4".into())
        }
        Sample::Kronecker => {
            // After pairing a product of one vector for each pair, so of rank 1 at every bond.
            let mut random = Random::new(state.seed);
            let mut x = vec![1.0];
            for n in shape.external() {
                x = matrix_product(&x, &random.normals(n), x.len(), 1, n);
            }
            (deinterleave(&x, rows, cols, shape), "a Kronecker product of small random matrices".into())
        }
    };
    let own = Svd::of(&a, rows, cols)?.s;
    let bonds = spectra(&a, rows, cols, shape)?;
    // The widest bond: the one with most to show.
    let widest = (0..bonds.len()).max_by_key(|k| (bonds[*k].len(), bonds.len() - k)).unwrap_or(0);
    let none = vec![own.first().copied().unwrap_or(0.0)];
    let paired = bonds.get(widest).unwrap_or(&none);
    let (before, after) = (rank(&own), rank(paired));

    let wide = context.width >= 480.0;
    let w = if wide { context.width / 2.0 } else { context.width };
    let mut svg = Svg::new(context.width, if wide { 210.0 } else { 420.0 });
    let top = own[0].max(paired[0]).max(f64::MIN_POSITIVE);
    let top = range([&top])[1];
    let titles =
        [format!("rows against columns: rank {before}"), format!("pairs at bond {}: rank {after}", widest + 1)];
    for (n, (s, title)) in [&own, paired].into_iter().zip(titles).enumerate() {
        let (x, y) = if wide { (n as f64 * w, 0.0) } else { (0.0, n as f64 * 210.0) };
        let frame =
            Frame { x: x + 48.0, y: y + 32.0, w: w - 64.0, h: 140.0, count: s.len(), range: [top * FLOOR, top] };
        svg.text("strong", Anchor::Start, [x + 4.0, y + 18.0], &title);
        frame.grid(&mut svg);
        spectrum(&mut svg, &frame, s, rank(s));
        svg.text("small", Anchor::Middle, [frame.at(0), y + 190.0], "1");
        svg.text("small", Anchor::Middle, [frame.at(s.len() - 1), y + 190.0], &s.len().to_string());
    }

    let finding = match before.cmp(&after) {
        std::cmp::Ordering::Less => "A matrix of low rank can need wide bonds.",
        std::cmp::Ordering::Greater => "A matrix of high rank can have narrow bonds.",
        std::cmp::Ordering::Equal => "Here both ranks are the same, by other singular values.",
    };
    let caption = format!(
        "<b>{finding}</b> The matrix is {name}. Its rank is {before} of {}; after pairing digit k of the row with digit k of the column, the same numbers \
         have rank {after} of {} at bond {}. An MPO is not a low-rank factorization of W.",
        own.len(),
        paired.len(),
        widest + 1
    );
    let mut table = Table::new("Ranks", &["unfolding", "values", "rank", "largest", "smallest"]);
    let ends = |s: &[f64]| [s.len().to_string(), rank(s).to_string(), short(s[0]), noise(s[s.len() - 1], s[0])];
    table.row(std::iter::once("rows against columns".to_string()).chain(ends(&own)));
    for (k, s) in bonds.iter().enumerate() {
        table.row(std::iter::once(format!("bond {}", k + 1)).chain(ends(s)));
    }
    let how = "Singular values in f64. The rank counts those above 10⁻¹² of the largest; the others, hollow, are rounding errors near 10⁻¹⁶."
        .into();
    let label = format!("Two spectra of {name}: rank {before} as it is, rank {after} after pairing.");
    Ok(Figure { picture: svg.image(&label), caption, table, how })
}

/// A value, or that it is a rounding error.
fn noise(value: f64, top: f64) -> String {
    if value <= top * 1e-12 { "0 (rounding)".into() } else { short(value) }
}
