//! Section 4: X·X⁻¹ on a bond: what it leaves alone, and what it does not.

use overfold::mpo::{Mpo, MpoError};

use super::surplus::core_node;
use super::{Context, Figure, Table};
use crate::draw::bars::{self, Bar, Group};
use crate::draw::diagram::{Node, Role, chain};
use crate::math::linalg::{cosine, distance, norm};
use crate::math::step::first_step;
use crate::math::transform::Transform;
use crate::number::{percent, ratio, short};
use crate::prepared::Bond;
use crate::state::{Kind, State};

/// Differences of this part and below are rounding.
const ROUNDING: f64 = 1e-10;

pub fn inputs(state: &State) -> String {
    format!("{} {} {} {} {}", state.chain, state.bond, state.kind, state.strength, state.seed)
}

/// The chain with X of each kind, in the order of [`Kind::ALL`], on the bond; none without one.
pub fn changed(state: &State, chain: &Mpo) -> Result<Vec<Mpo>, MpoError> {
    if state.chain.order() == 1 {
        return Ok(Vec::new());
    }
    let strength = state.strength as f64 / 10.0;
    let changed = |kind| {
        let transform = Transform::new(kind, state.bond_dimension(), strength, state.seed);
        transform.insert(chain, state.bond - 1)
    };
    Kind::ALL.into_iter().map(changed).collect()
}

pub fn chains(context: &Context<'_>) -> Result<Vec<Mpo>, MpoError> {
    Ok(context.prepared.changed.as_ref().map_or_else(Vec::new, |changed| changed.chains.clone()))
}

pub(super) fn without_bonds() -> Figure {
    let caption = "<b>One core has no bond,</b> so there is nothing to choose. Take two cores or more.".into();
    Figure { picture: String::new(), caption, table: Table::default(), how: String::new() }
}

pub fn draw(context: &Context<'_>) -> Result<Figure, MpoError> {
    let (matrix, state) = (context.matrix, context.state);
    let (mpo, products) = (&context.prepared.chain, context.products);
    let Some(Bond { gradient, before, .. }) = &context.prepared.bond else { return Ok(without_bonds()) };
    let relative = |a: &[f64], b: &[f64]| distance(a, b) / norm(b).max(f64::MIN_POSITIVE);

    let mut table = Table::new(
        format!("X·X⁻¹ on bond {}, compared with the chain as it was", state.bond),
        &[
            "X",
            "W changes by",
            "SGD step changes by",
            "SGD length",
            "SGD cosine",
            "Adam step changes by",
            "Adam length",
            "Adam cosine",
        ],
    );
    let titles = ["The matrix W changes by", "The first SGD step changes by", "The first Adam step changes by"];
    let mut groups = titles.map(|title| Group { title: title.into(), bars: Vec::new() });
    let mut found = Vec::new();
    // W may come from the GPU; the steps are computed here.
    let rounding = [ROUNDING.max(products.rounding()), ROUNDING, ROUNDING];
    for (k, (kind, other)) in Kind::ALL.into_iter().zip(products.chains()).enumerate() {
        let after = first_step(other, gradient);
        let changes = [
            products.error(k) / matrix.norm.max(f64::MIN_POSITIVE),
            relative(&after.sgd, &before.sgd),
            relative(&after.adam, &before.adam),
        ];
        for ((group, change), rounding) in groups.iter_mut().zip(changes).zip(rounding) {
            let text = if change <= rounding { format!("{} (rounding)", percent(change)) } else { percent(change) };
            let value = if change <= rounding { 0.0 } else { change };
            group.bars.push(Bar { label: kind.to_string(), value, text, marked: kind == state.kind });
        }
        let compare = |a: &[f64], b: &[f64]| [ratio(norm(a) / norm(b).max(f64::MIN_POSITIVE)), short(cosine(a, b))];
        let [sgd_length, sgd_cosine] = compare(&after.sgd, &before.sgd);
        let [adam_length, adam_cosine] = compare(&after.adam, &before.adam);
        table.row([
            kind.to_string(),
            percent(changes[0]),
            percent(changes[1]),
            sgd_length.clone(),
            sgd_cosine.clone(),
            percent(changes[2]),
            adam_length,
            adam_cosine,
        ]);
        found.push((changes, sgd_length, sgd_cosine));
    }

    let order = mpo.cores().len();
    let mut nodes: Vec<Node> =
        mpo.cores().iter().enumerate().map(|(k, core)| core_node(k, order, core.dims, false)).collect();
    let mut bonds = mpo.bonds();
    let (at, d) = (state.bond, state.bond_dimension());
    for (name, words) in [("X⁻¹", "The inverse of X"), ("X", "X")] {
        let detail = format!("{words}: {d} by {d}, {}. It is multiplied into the core beside it.", state.kind);
        nodes.insert(
            at,
            Node { role: Role::Transform, name: name.into(), up: vec![], down: vec![], detail, marked: true },
        );
        bonds.insert(at, d);
    }
    let mut svg = chain(context.width, &nodes, &bonds);
    svg.stack(&bars::draw(context.width, &groups, false));
    let label =
        format!("A chain of {order} cores with X and its inverse on bond {at}; below, bars of what that changes.");

    let [orthogonal, diagonal, generic] = &found[..] else { return Ok(without_bonds()) };
    let largest = found.iter().map(|(changes, ..)| changes[0]).fold(0.0, f64::max);
    let caption = if state.strength == 0 {
        "<b>X is the identity here, so nothing changes.</b>".into()
    } else {
        format!(
            "<b>W stays, whatever X is; the next step does not.</b> All three X leave W alone (at most {} of ‖W‖, rounding). An orthogonal X leaves the SGD \
             step alone too ({}): gradient descent cannot see a rotation of a bond. A diagonal X makes it {} times as long, with cosine {} to the old one. Adam \
             works number by number: its step changes by {}, {} and {}.",
            percent(largest),
            percent(orthogonal.0[1]),
            diagonal.1,
            diagonal.2,
            percent(orthogonal.0[2]),
            percent(diagonal.0[2]),
            percent(generic.0[2]),
        )
    };
    // Against a step on W itself: −G, and −G/|G|.
    let farther = [norm(&before.sgd) / norm(gradient), norm(&before.adam) / (matrix.w.len() as f64).sqrt()].map(ratio);
    let caption = format!(
        "{caption} Even without X, one step of all cores moves W {} times (SGD) or {} times (Adam) as far as a step on W at the same learning rate.",
        farther[0], farther[1]
    );
    let how = format!(
        "The chain is in the symmetric gauge. The change of W by one step is taken to first order in the learning rate: Σ<sub>k</sub> T<sub>1</sub>…δ<sub>k</sub>…T<sub>m</sub> with \
         δ = −g (SGD) or −g/(|g| + 10⁻⁸) (Adam's first step), g = ∂L/∂T<sub>k</sub>. Without a model in the page ∂L/∂W is a random matrix (seed {}). “Changes by” is \
         ‖new − old‖/‖old‖ of that change. X: random rotations of pairs of axes, random scales e<sup>{}·z</sup>, or both. \
         The steps are computed in f64 on the CPU.{}",
        state.seed,
        short(state.strength as f64 / 10.0),
        products.words()
    );
    Ok(Figure { picture: svg.group(&label), caption, table, how })
}
