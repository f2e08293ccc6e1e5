//! Section 7: how exact is the fold, in units in the last place.

use overfold::mpo::{Mpo, MpoError};

use super::{Context, Figure, Table};
use crate::draw::plot::Frame;
use crate::draw::svg::{Anchor, Svg};
use crate::math::ulp::{BINS, histogram, label};
use crate::number::{percent, short, size};

pub fn draw(context: &Context<'_>) -> Result<Figure, MpoError> {
    let matrix = context.matrix;
    let mpo = &context.prepared.chain;
    let double: Vec<f32> = mpo.contract().iter().map(|x| *x as f32).collect();
    let single = unpadded(&single(mpo), context);
    let (fine, coarse) = (histogram(&matrix.stored, &double), histogram(&matrix.stored, &single));
    let total = matrix.stored.len();

    let mut svg = Svg::new(context.width, 232.0);
    let frame = Frame { x: 8.0, y: 44.0, w: context.width - 16.0, h: 140.0, count: BINS, range: [1.0, 10.0] };
    let slot = frame.w / BINS as f64;
    for (n, (class, bins)) in [("bar", &coarse), ("bar outline", &fine)].into_iter().enumerate() {
        let w = slot * 0.38;
        for (bin, count) in bins.iter().enumerate() {
            let h = frame.h * *count as f64 / total as f64;
            svg.rect(class, [frame.edge(bin) + slot * 0.1 + n as f64 * (w + 1.0), frame.y + frame.h - h], [w, h]);
        }
    }
    svg.line("axis", [frame.x, frame.y + frame.h], [frame.x + frame.w, frame.y + frame.h]);
    let sparse = slot < 66.0;
    for bin in (0..BINS).filter(|bin| !sparse || [0, 2, 5, 8, 11].contains(bin)) {
        let text = label(bin).replace(" and more", "+");
        svg.text("small", Anchor::Middle, [frame.at(bin), frame.y + frame.h + 17.0], &text);
    }
    svg.text("small", Anchor::Middle, [frame.x + frame.w / 2.0, frame.y + frame.h + 36.0], "distance in ulp");
    svg.rect("bar", [8.0, 4.0], [12.0, 12.0]).text("small", Anchor::Start, [26.0, 14.0], "cores in f32, as trained");
    svg.rect("bar outline", [8.0, 24.0], [12.0, 12.0]).text(
        "small",
        Anchor::Start,
        [26.0, 34.0],
        "cores in f64, rounded once",
    );

    let worst = matrix.stored.iter().zip(&single).map(|(a, b)| f64::from((a - b).abs())).fold(0.0, f64::max);
    let part = |n: usize| percent(n as f64 / total as f64);
    let caption = format!(
        "<b>How exact the fold is depends on how the cores are held.</b> With cores in f64, {} of the {} entries come back bit by bit. With cores in f32, as a trainer holds \
         them, {} do, and {} are within 15 ulp; the largest error is {}. An ulp is the gap to the next f32 number, so entries near zero are many ulp away \
         at the same error.",
        part(fine[0]),
        size(total),
        part(coarse[0]),
        part(coarse[..5].iter().sum()),
        short(worst)
    );
    let mut table = Table::new(
        "Entries of W by their distance in ulp after unfolding and folding",
        &["ulp", "cores in f32", "cores in f64"],
    );
    for bin in 0..BINS {
        table.row([label(bin), size(coarse[bin]), size(fine[bin])]);
    }
    let how = "Unfolded in f64. f32: cores are rounded to f32, products and sums are done in f32, core by core from the left. f64: multiplied in f64, \
               rounded to f32 at the end. Compared with the f32 numbers of the checkpoint."
        .into();
    let words = "Histogram of the distances between the entries of W and of the folded chain.";
    Ok(Figure { picture: svg.image(words), caption, table, how })
}

/// The product of all cores in f32, interleaved.
fn single(mpo: &Mpo) -> Vec<f32> {
    let mut product = vec![1f32];
    for core in mpo.cores() {
        let (left, width) = (core.dims[0], core.data.len() / core.dims[0]);
        let values: Vec<f32> = core.data.iter().map(|x| *x as f32).collect();
        let mut next = vec![0f32; product.len() / left * width];
        for (target, row) in next.chunks_exact_mut(width).zip(product.chunks_exact(left)) {
            for (factor, line) in row.iter().zip(values.chunks_exact(width)) {
                target.iter_mut().zip(line).for_each(|(t, x)| *t += factor * x);
            }
        }
        product = next;
    }
    product
}

fn unpadded(x: &[f32], context: &Context<'_>) -> Vec<f32> {
    let x: Vec<f64> = x.iter().copied().map(f64::from).collect();
    let w = overfold::mpo::deinterleave(&x, context.matrix.rows, context.matrix.cols, &context.state.chain);
    w.into_iter().map(|x| x as f32).collect()
}
