//! The figures. Each is a pure function of the view, the matrix and the width at hand: a picture, a caption that states what
//! it shows, its numbers as a table, and how they were computed.

mod calculator;
mod center;
mod cut;
pub(crate) mod effects;
mod fold;
mod hero;
mod node;
mod order;
mod profile;
mod rank;
mod spectra;
mod surplus;
mod sweep;
mod ulp;

use overfold::mpo::{Mpo, MpoError};

use crate::draw::svg::escape;
use crate::math::product::Products;
use crate::matrix::Matrix;
use crate::prepared::Prepared;
use crate::state::State;

/// What a figure is drawn from.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The view.
    pub state: &'a State,
    /// The matrix.
    pub matrix: &'a Matrix,
    /// Its decompositions.
    pub prepared: &'a Prepared,
    /// What the figure's chains multiply out to, in their order.
    pub products: &'a Products,
    /// Width of the picture in CSS pixels.
    pub width: f64,
}

/// The numbers of a figure.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// What the numbers are.
    pub caption: String,
    /// Names of the columns.
    pub head: Vec<String>,
    /// Rows; the first cell names the row.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub fn new(caption: impl Into<String>, head: &[&str]) -> Self {
        let head = head.iter().map(|text| (*text).into()).collect();
        Self { caption: caption.into(), head, rows: Vec::new() }
    }

    /// One more row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) -> &mut Self {
        self.rows.push(cells.into_iter().map(Into::into).collect());
        self
    }

    /// As markup.
    pub fn html(&self) -> String {
        let mut out = format!("<table><caption>{}</caption><thead><tr>", escape(&self.caption));
        self.head.iter().for_each(|text| out.extend([r#"<th scope="col">"#, &escape(text), "</th>"]));
        out.push_str("</tr></thead><tbody>");
        for row in &self.rows {
            out.push_str("<tr>");
            for (k, text) in row.iter().enumerate() {
                let [open, close] = if k == 0 { [r#"<th scope="row">"#, "</th>"] } else { ["<td>", "</td>"] };
                out.extend([open, &escape(text), close]);
            }
            out.push_str("</tr>");
        }
        out.push_str("</tbody></table>");
        out
    }
}

/// A figure as it stands in the page.
#[derive(Debug, Clone)]
pub struct Figure {
    /// SVG.
    pub picture: String,
    /// What it shows, as markup.
    pub caption: String,
    /// Its numbers.
    pub table: Table,
    /// Formula and inputs, as markup.
    pub how: String,
}

/// One figure of the page.
pub struct Entry {
    /// Name of its `<figure>`.
    pub id: &'static str,
    /// Everything that it depends on besides the matrix and the width; the same text means the same figure.
    pub inputs: fn(&State) -> String,
    /// The chains whose products it shows. They are multiplied out before it is drawn: here, and then by the engine's GPU if
    /// there is one.
    pub chains: fn(&Context<'_>) -> Result<Vec<Mpo>, MpoError>,
    /// Draws it.
    pub draw: fn(&Context<'_>) -> Result<Figure, MpoError>,
}

/// All figures, from top to bottom.
pub const ALL: [Entry; 14] = [
    Entry { id: "hero", inputs: |s| s.chain.to_string(), chains: none, draw: hero::draw },
    Entry { id: "node", inputs: |s| s.row.to_string(), chains: none, draw: node::draw },
    Entry { id: "cut", inputs: |s| format!("{} {:?}", s.cut, s.guess), chains: cut::chains, draw: cut::draw },
    Entry { id: "sweep", inputs: |s| format!("{} {}", s.shape, s.sweep), chains: none, draw: sweep::draw },
    Entry { id: "profile", inputs: |s| s.shape.to_string(), chains: none, draw: profile::draw },
    Entry { id: "spectra", inputs: |s| s.shape.to_string(), chains: none, draw: spectra::draw },
    Entry { id: "rank", inputs: |s| format!("{} {} {}", s.sample, s.shape, s.seed), chains: none, draw: rank::draw },
    Entry { id: "surplus", inputs: |s| s.chain.to_string(), chains: none, draw: surplus::draw },
    Entry { id: "effects", inputs: effects::inputs, chains: effects::chains, draw: effects::draw },
    Entry {
        id: "center",
        inputs: |s| format!("{} {}", effects::inputs(s), s.keep),
        chains: center::chains,
        draw: center::draw,
    },
    Entry { id: "fold", inputs: |s| format!("{} {}", s.chain, s.fold), chains: fold::chains, draw: fold::draw },
    Entry { id: "ulp", inputs: |s| s.chain.to_string(), chains: none, draw: ulp::draw },
    Entry { id: "order", inputs: |s| s.chain.to_string(), chains: none, draw: order::draw },
    Entry {
        id: "calculator",
        inputs: |s| format!("{} {} {} {}", s.rows, s.cols, s.cores, s.style),
        chains: none,
        draw: calculator::draw,
    },
];

/// For figures that multiply out no chain, or one to prove a point that f64 has to prove.
fn none(_: &Context<'_>) -> Result<Vec<Mpo>, MpoError> {
    Ok(Vec::new())
}

/// `i₁`, `j₂`: the legs of pair `k` (from 0) with these dimensions.
fn pair(k: usize, i: usize, j: usize) -> [crate::draw::diagram::Leg; 2] {
    let mark = crate::draw::subscript(k + 1);
    [crate::draw::diagram::Leg::new(format!("i{mark}"), i), crate::draw::diagram::Leg::new(format!("j{mark}"), j)]
}
