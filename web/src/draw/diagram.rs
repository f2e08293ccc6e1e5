//! Tensor diagrams. A node is a tensor, a leg an index; legs that are joined are summed over. Row indices i point up, column
//! indices j down, bonds lie level, and a line is the thicker the larger its dimension: 1 + 0.8·log₂ d.

use super::svg::{Anchor, Svg, escape};
use crate::number;

/// What a node is; the shape says it, the color only repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A core without special properties: a circle.
    Core,
    /// A core that is orthogonal from the left: a triangle that points right.
    Left,
    /// The core that holds the norm: a double ring.
    Center,
    /// Singular values: a diamond.
    Values,
    /// A plain matrix, or what is still to be cut: a square.
    Matrix,
    /// X or its inverse: a small square.
    Transform,
}

/// An external index.
#[derive(Debug, Clone)]
pub struct Leg {
    /// `i₁`.
    pub name: String,
    /// Its dimension; 1 is drawn dotted.
    pub dim: usize,
}

impl Leg {
    /// A leg.
    pub fn new(name: impl Into<String>, dim: usize) -> Self {
        Self { name: name.into(), dim }
    }
}

/// A node.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its role.
    pub role: Role,
    /// The name inside or beside it.
    pub name: String,
    /// Legs that point up: row indices.
    pub up: Vec<Leg>,
    /// Legs that point down: column indices.
    pub down: Vec<Leg>,
    /// What is to be said of it.
    pub detail: String,
    /// Whether this step changed it.
    pub marked: bool,
}

const MARGIN: f64 = 14.0;
const RADIUS: f64 = 20.0;
const LEG: f64 = 26.0;
const GAP: f64 = 46.0;
const ROW: f64 = 2.0 * (RADIUS + LEG) + 56.0;
/// Room for a leg with its label.
const SPREAD: f64 = 42.0;

impl Node {
    fn width(&self) -> f64 {
        let legs = self.up.len().max(self.down.len()) as f64;
        match self.role {
            Role::Values | Role::Transform => 2.0 * RADIUS - 8.0,
            _ => (2.0 * RADIUS).max(SPREAD * legs),
        }
    }
}

/// The width of a line for an index of this dimension.
pub fn thickness(dim: usize) -> f64 {
    1.0 + 0.8 * (dim.max(1) as f64).log2()
}

/// A row of nodes joined by `bonds` (one fewer than nodes; 0 for none), wrapped where it is too wide.
pub fn chain(width: f64, nodes: &[Node], bonds: &[usize]) -> Svg {
    // Which nodes stand in which line, and how wide a line is.
    let mut lines: Vec<(std::ops::Range<usize>, f64)> = Vec::new();
    for (k, node) in nodes.iter().enumerate() {
        match lines.last_mut() {
            Some((range, used)) if *used + GAP + node.width() <= width - 2.0 * MARGIN - GAP => {
                range.end = k + 1;
                *used += GAP + node.width();
            }
            _ => lines.push((k..k + 1, node.width())),
        }
    }
    let mut svg = Svg::new(width, ROW * lines.len() as f64);
    for (line, (range, used)) in lines.iter().enumerate() {
        let y = ROW * (line as f64 + 0.5);
        let mut x = ((width - used) / 2.0).max(MARGIN);
        let (first, last) = (range.start, range.end - 1);
        if first > 0 && bonds[first - 1] > 0 {
            bond(&mut svg, [x - GAP * 0.7, y], [x, y], bonds[first - 1], false);
            svg.text("small", Anchor::Middle, [x - GAP * 0.7 - 8.0, y + 4.0], "⋯");
        }
        for k in range.clone() {
            let node = &nodes[k];
            if k < nodes.len() - 1 && bonds[k] > 0 {
                let end = if k == last { x + node.width() + GAP * 0.7 } else { x + node.width() + GAP };
                bond(&mut svg, [x + node.width(), y], [end, y], bonds[k], true);
                if k == last {
                    svg.text("small", Anchor::Middle, [end + 9.0, y + 4.0], "⋯");
                }
            }
            draw(&mut svg, node, [x, y], k == 0);
            x += node.width() + GAP;
        }
    }
    svg
}

fn bond(svg: &mut Svg, from: [f64; 2], to: [f64; 2], dim: usize, labelled: bool) {
    // Into the node, which is drawn over it.
    svg.thick("bond", [from[0] - 16.0, from[1]], [to[0] + 16.0, to[1]], thickness(dim));
    if labelled {
        let middle = [(from[0] + to[0]) / 2.0, from[1] - 12.0];
        svg.text("text-d", Anchor::Middle, middle, &number::size(dim));
    }
}

fn draw(svg: &mut Svg, node: &Node, [x, y]: [f64; 2], first: bool) {
    let w = node.width();
    let middle = x + w / 2.0;
    // One stop for the Tab key; arrows move on from there.
    let tab = if first { 0 } else { -1 };
    svg.raw(&format!(
        r#"<g class="item{}" tabindex="{tab}" role="img" aria-label="{}">"#,
        if node.marked { " marked" } else { "" },
        escape(&node.detail)
    ));
    for (legs, class, text, sign) in [(&node.up, "leg-i", "text-i", -1.0), (&node.down, "leg-j", "text-j", 1.0)] {
        let step = w / legs.len().max(1) as f64;
        for (n, leg) in legs.iter().enumerate() {
            let at = x + step * (n as f64 + 0.5);
            let (inner, outer) = (y + sign * RADIUS * 0.5, y + sign * (RADIUS + LEG));
            let class = if leg.dim == 1 { format!("{class} one") } else { class.into() };
            svg.thick(&class, [at, inner], [at, outer], thickness(leg.dim));
            let label = format!("{} {}", leg.name, number::size(leg.dim));
            let base = if sign < 0.0 { outer - 6.0 } else { outer + 15.0 };
            svg.text(text, Anchor::Middle, [at, base], label.trim());
        }
    }
    let r = RADIUS;
    match node.role {
        Role::Core => svg.circle("core", [middle, y], r),
        Role::Center => svg.circle("core", [middle, y], r).circle("ring", [middle, y], r - 4.0),
        Role::Left => {
            let (a, b) = (middle - r, middle + r);
            svg.path("core", &format!("M{a:.1} {:.1}L{b:.1} {y:.1}L{a:.1} {:.1}z", y - r, y + r))
        }
        Role::Values => {
            let s = r * 0.75;
            let points = (middle - s, middle + s, y - s, y + s);
            svg.path(
                "values",
                &format!(
                    "M{:.1} {y:.1}L{middle:.1} {:.1}L{:.1} {y:.1}L{middle:.1} {:.1}z",
                    points.0, points.2, points.1, points.3
                ),
            )
        }
        Role::Transform => svg.rect("transform", [middle - 15.0, y - 15.0], [30.0, 30.0]),
        Role::Matrix => svg.rect("matrix", [x, y - r], [w, 2.0 * r]),
    };
    let shift = if node.role == Role::Left { -5.0 } else { 0.0 };
    svg.text("in-node", Anchor::Middle, [middle + shift, y + 5.0], &node.name);
    svg.raw("</g>");
}
