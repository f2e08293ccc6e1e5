//! Section 10: what a chain costs, for any matrix.

use overfold::mpo::{MpoError, Shape};

use super::{Context, Figure, Table};
use crate::draw::bars::{self, Bar, Group};
use crate::number::{bytes, factors, ratio, size};
use crate::state::Style;

/// Weight, gradient and two moments of Adam, each in f32.
const BYTES: f64 = 16.0;

/// The matrices of OPF's models (tables 4 and 5) and of MiniLM.
pub const PRESETS: [(&str, usize, usize); 8] = [
    ("BERT-base feed-forward", 3072, 768),
    ("BERT-base attention", 768, 768),
    ("BERT-large feed-forward", 4096, 1024),
    ("BERT-large attention", 1024, 1024),
    ("BERT-small feed-forward", 2048, 512),
    ("BERT-small attention", 512, 512),
    ("MiniLM feed-forward", 1536, 384),
    ("MiniLM attention", 384, 384),
];

pub fn draw(context: &Context<'_>) -> Result<Figure, MpoError> {
    let state = context.state;
    let shape = match state.style {
        Style::Paper => Shape::paper(state.rows, state.cols, state.cores)?,
        Style::Balanced => Shape::balanced(state.rows, state.cols, state.cores)?,
    };
    let (dense, chain) = (state.rows * state.cols, shape.parameters());
    let padded = shape.padded_rows() * shape.padded_cols();
    let bonds = shape.bonds();
    let bar = |label: &str, n: usize, marked| Bar {
        label: label.into(),
        value: n as f64,
        text: format!("{} · {}", size(n), bytes(BYTES * n as f64)),
        marked,
    };
    let bars = vec![bar("matrix", dense, false), bar("chain", chain, true), bar("folded again", dense, false)];
    let svg = bars::draw(context.width, &[Group { title: "Numbers, and memory for Adam".into(), bars }], true);
    let list = match &bonds[..] {
        [] => "no bond".into(),
        [first, ..] if bonds.iter().all(|d| d == first) => format!("{} bonds of {}", bonds.len(), size(*first)),
        _ => format!("bonds {}", bonds.iter().map(|d| size(*d)).collect::<Vec<_>>().join(", ")),
    };
    let zeros = if padded == dense {
        String::new()
    } else {
        format!(" The matrix is padded with zeros to {} numbers.", size(padded))
    };
    let caption = format!(
        "<b>{}×{} in {} cores: {} times the numbers.</b> Row factors {}; column factors {}; {list}. The chain has {} numbers, {} more than the matrix, and \
         Adam needs {} for it instead of {}. Folded, it is {} again.{zeros}",
        size(state.rows),
        size(state.cols),
        state.cores,
        ratio(chain as f64 / dense as f64),
        factors(shape.row_factors()),
        factors(shape.col_factors()),
        size(chain),
        size(chain - dense),
        bytes(BYTES * chain as f64),
        bytes(BYTES * dense as f64),
        bytes(4.0 * dense as f64),
    );
    let head = ["matrix", "size", "m", "bond", "numbers", "times the matrix", "Adam memory", "fold once (operations)"];
    let mut table = Table::new("This matrix, and those of the paper in the paper's factors", &head);
    let mut add = |name: &str, shape: &Shape, rows: usize, cols: usize| {
        let widest = shape.bonds().into_iter().max().unwrap_or(1);
        table.row([
            name.to_string(),
            format!("{}×{}", size(rows), size(cols)),
            shape.order().to_string(),
            size(widest),
            size(shape.parameters()),
            ratio(shape.parameters() as f64 / (rows * cols) as f64),
            bytes(BYTES * shape.parameters() as f64),
            crate::number::count(shape.contraction_cost().flops),
        ]);
    };
    add("yours", &shape, state.rows, state.cols);
    for (name, rows, cols) in PRESETS {
        add(name, &Shape::paper(rows, cols, 11)?, rows, cols);
    }
    let how = "N = Σ d<sub>k−1</sub>·i<sub>k</sub>·j<sub>k</sub>·d<sub>k</sub> with full bonds (OPF eq. 5 and 8). Memory: weight, gradient and two moments in f32, 16 bytes for each \
               number; activations are not in it. Folded: 4 bytes for each number."
        .into();
    Ok(Figure {
        picture: svg.image("Numbers of the matrix, the chain and the folded matrix, as bars."),
        caption,
        table,
        how,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_presets_are_the_papers() {
        let count = |rows, cols, cores| Shape::paper(rows, cols, cores).unwrap().parameters();
        // Σ d_k² by hand: 10·576², 10·1152², 10·1024².
        assert_eq!(count(768, 768, 11), 768 * 768 + 10 * 576 * 576);
        assert_eq!(count(3072, 768, 11), 3072 * 768 + 10 * 1152 * 1152);
        assert_eq!(count(1024, 1024, 11), 11 * 1024 * 1024);
        // The page tells of a run: three rounds, each unfolding six groups of MiniLM at five cores.
        let round = 4 * (count(384, 384, 5) - 384 * 384) + 2 * (count(1536, 384, 5) - 1536 * 384);
        assert_eq!(3 * round, 9_437_184);
    }
}
