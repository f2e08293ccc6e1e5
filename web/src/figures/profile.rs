//! Section 3: the bond dimensions under their tent.

use overfold::mpo::{MpoError, entropy, spectra};

use super::{Context, Figure, Table};
use crate::draw::plot::{Frame, range};
use crate::draw::svg::{Anchor, Svg};
use crate::number::{short, size};

pub fn draw(context: &Context<'_>) -> Result<Figure, MpoError> {
    let (matrix, shape) = (context.matrix, &context.state.shape);
    let bonds = shape.bonds();
    let spectra = spectra(&matrix.w, matrix.rows, matrix.cols, shape)?;
    let total: usize = shape.external().product();
    let lefts: Vec<usize> = shape
        .external()
        .scan(1, |left, n| {
            *left *= n;
            Some(*left)
        })
        .take(bonds.len())
        .collect();
    let rights: Vec<usize> = lefts.iter().map(|left| total / left).collect();

    let mut svg = Svg::new(context.width, 240.0);
    let top = lefts.iter().chain(&rights).map(|n| *n as f64).collect::<Vec<_>>();
    let [_, high] = range(&top);
    let frame =
        Frame { x: 58.0, y: 26.0, w: context.width - 72.0, h: 172.0, count: bonds.len(), range: [1.0, high.max(10.0)] };
    frame.grid(&mut svg);
    for (k, d) in bonds.iter().enumerate() {
        let (x, w) = (frame.edge(k), frame.w / bonds.len() as f64);
        let y = frame.level(*d as f64);
        let bar = (w * 0.6).min(64.0);
        svg.rect("bar", [x + (w - bar) / 2.0, y], [bar, frame.y + frame.h - y]);
        svg.text("strong halo", Anchor::Middle, [frame.at(k), y - 6.0], &size(*d));
        svg.text("small", Anchor::Middle, [frame.at(k), frame.y + frame.h + 17.0], &format!("bond {}", k + 1));
    }
    for (class, side) in [("tent left", &lefts), ("tent right", &rights)] {
        svg.polyline(class, side.iter().enumerate().map(|(k, n)| [frame.at(k), frame.level(*n as f64)]));
    }
    svg.text("small", Anchor::Start, [frame.x, 14.0], "dotted: what lies left of the bond");
    if context.width > 500.0 {
        svg.text("small", Anchor::End, [frame.x + frame.w, 14.0], "dashed: what lies right of it");
    }

    let list = bonds.iter().map(|d| size(*d)).collect::<Vec<_>>().join(", ");
    let caption = if bonds.is_empty() {
        "<b>One core has no bond.</b> It is the matrix itself.".into()
    } else {
        format!(
            "<b>A bond is as wide as the smaller side allows, and no wider.</b> d<sub>k</sub> = min(Π left, Π right) of the pair sizes \
             n<sub>k</sub> = i<sub>k</sub>·j<sub>k</sub>: here {list}. Other factors of the same {}×{} matrix give another profile.",
            matrix.rows, matrix.cols
        )
    };
    let mut table =
        Table::new("Bond dimensions", &["bond", "Π left", "Π right", "d", "spread of the spectrum (nats)", "at most"]);
    for (k, d) in bonds.iter().enumerate() {
        let spread = entropy(&spectra[k]);
        table.row([
            (k + 1).to_string(),
            size(lefts[k]),
            size(rights[k]),
            size(*d),
            short(spread),
            short((*d as f64).ln()),
        ]);
    }
    let how = "OPF eq. 8. The spread of the spectrum is −Σ p·ln p with p = σ²/Σσ²: ln d if all singular values are equal, 0 if there is only one. \
               Physicists call it entanglement entropy."
        .into();
    Ok(Figure {
        picture: svg.image(&format!("Bond dimensions {list} as bars under the products of what lies left and right.")),
        caption,
        table,
        how,
    })
}
