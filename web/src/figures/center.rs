//! Section 4: cutting a bond is optimal at the orthogonality center, and nowhere else.

use overfold::mpo::{Core, Mpo, MpoError};

use super::effects::without_bonds;
use super::{Context, Figure, Table};
use crate::draw::bars::{self, Bar, Group};
use crate::math::linalg::{norm, tail};
use crate::number::{percent, short};
use crate::state::Kind;

/// The chains of [`super::effects`] with the bond cut, and then that of the chosen kind cut at the center.
pub fn chains(context: &Context<'_>) -> Result<Vec<Mpo>, MpoError> {
    let (bond, keep) = (context.state.bond - 1, context.state.keep);
    let Some(changed) = &context.prepared.changed else { return Ok(Vec::new()) };
    // In the centered chain the channels of the bond are the singular vectors again.
    changed.chains.iter().chain([&changed.centered]).map(|chain| cut(chain, bond, keep)).collect()
}

pub fn draw(context: &Context<'_>) -> Result<Figure, MpoError> {
    let (matrix, state) = (context.matrix, context.state);
    let Some(bond) = &context.prepared.bond else { return Ok(without_bonds()) };
    let (d, keep) = (state.bond_dimension(), state.keep);
    let predicted = tail(&bond.s, keep);
    let relative = |x: f64| x / matrix.norm.max(f64::MIN_POSITIVE);

    let mut bars = Vec::new();
    let mut table =
        Table::new(format!("Bond {} cut from {d} to {keep} channels", state.bond), &["how", "error", "error / ‖W‖"]);
    let mut add = |label: String, error: f64, marked: bool| {
        table.row([label.clone(), short(error), percent(relative(error))]);
        bars.push(Bar { label, value: relative(error), text: percent(relative(error)), marked });
    };
    add("predicted: √Σσ²".into(), predicted, false);
    let mut chosen = 0.0;
    for (k, kind) in Kind::ALL.into_iter().enumerate() {
        let error = context.products.error(k);
        if kind == state.kind {
            chosen = error;
        }
        add(format!("{kind} X, cut at once"), error, kind == state.kind);
    }
    let centered = context.products.error(Kind::ALL.len());
    add(format!("{} X, center first", state.kind), centered, true);
    let caption = format!(
        "<b>Where the center is decides what a cut costs.</b> All chains here are the same matrix. Keeping {keep} of {d} channels of bond {} loses {} of ‖W‖ if the \
         bond is brought to the orthogonality center first, as predicted. Cut at once, by the channels that look smallest in core {}, the {} gauge loses {}.",
        state.bond,
        percent(relative(predicted)),
        state.bond,
        state.kind,
        percent(relative(chosen))
    );
    let how = format!(
        "Cut at once: the {keep} channels with the largest norm in core {} are kept. Center first: the same after an SVD at the bond has put its singular values \
         on its two sides; its error differs from √Σσ² by {}. Each error is ‖W − W′‖.{}",
        state.bond,
        short((centered - predicted).abs()),
        context.products.words()
    );
    let svg = bars::draw(context.width, &[Group { title: String::new(), bars }], true);
    Ok(Figure {
        picture: svg.image("Errors of a cut, with and without moving the center, as bars."),
        caption,
        table,
        how,
    })
}

/// Keeps the channels of a bond whose columns in the core left of it are longest.
fn cut(mpo: &Mpo, bond: usize, keep: usize) -> Result<Mpo, MpoError> {
    let mut cores: Vec<Core> = mpo.cores().to_vec();
    let (left, right) = (&mpo.cores()[bond], &mpo.cores()[bond + 1]);
    let d = left.dims[3];
    let column = |channel: usize| norm(&left.data.iter().skip(channel).step_by(d).copied().collect::<Vec<_>>());
    let lengths: Vec<f64> = (0..d).map(column).collect();
    // A channel stays if fewer than `keep` others are longer, or as long and before it.
    let before = |c: usize| {
        (0..d).filter(|other| lengths[*other] > lengths[c] || lengths[*other] == lengths[c] && *other < c).count()
    };
    let kept: Vec<usize> = (0..d).filter(|c| before(*c) < keep).collect();
    cores[bond].data = left.data.chunks_exact(d).flat_map(|row| kept.iter().map(|c| row[*c])).collect();
    cores[bond].dims[3] = keep;
    let width = right.data.len() / d;
    cores[bond + 1].data = kept.iter().flat_map(|c| &right.data[c * width..(c + 1) * width]).copied().collect();
    cores[bond + 1].dims[0] = keep;
    Mpo::from_cores(mpo.rows(), mpo.cols(), cores)
}
