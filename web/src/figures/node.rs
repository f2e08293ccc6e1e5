//! Section 1: a matrix is a node with two legs, and joining legs is summing.

use overfold::mpo::MpoError;

use super::{Context, Figure, Table};
use crate::draw::subscript;
use crate::draw::svg::{Anchor, Svg};

const W: [[i32; 4]; 3] = [[2, 0, 1, -1], [1, 3, 0, 2], [0, 1, -2, 1]];
const X: [i32; 4] = [1, 2, -1, 3];

pub fn draw(context: &Context<'_>) -> Result<Figure, MpoError> {
    let row = context.state.row.clamp(1, 3) - 1;
    let y: Vec<i32> = W.iter().map(|w| w.iter().zip(X).map(|(w, x)| w * x).sum()).collect();
    let wide = context.width >= 480.0;
    let mut svg = Svg::new(context.width, if wide { 230.0 } else { 430.0 });
    // The diagram: W above x, their legs j joined; equal to y.
    let left = if wide { 100.0 } else { context.width / 2.0 - 70.0 };
    svg.thick("leg-i", [left, 90.0], [left, 34.0], 3.0);
    svg.thick("leg-j", [left, 90.0], [left, 190.0], 3.0);
    svg.text("text-i", Anchor::Start, [left + 9.0, 44.0], "i = 1…3");
    svg.text("text-j", Anchor::Start, [left + 9.0, 148.0], "j = 1…4");
    svg.rect("matrix", [left - 20.0, 74.0], [40.0, 40.0]).text("in-node", Anchor::Middle, [left, 99.0], "W");
    svg.circle("core", [left, 190.0], 16.0).text("in-node", Anchor::Middle, [left, 195.0], "x");
    svg.text("strong", Anchor::Middle, [left + 80.0, 100.0], "=");
    let right = left + 130.0;
    svg.thick("leg-i", [right, 94.0], [right, 34.0], 3.0).text("text-i", Anchor::Start, [right + 9.0, 44.0], "i");
    svg.circle("core", [right, 94.0], 16.0).text("in-node", Anchor::Middle, [right, 99.0], "y");

    // The numbers: row i of W meets x.
    let (x0, y0, cell) = if wide {
        ((context.width - 232.0).min(380.0), 40.0, 30.0)
    } else {
        (context.width / 2.0 - 116.0, 260.0, 30.0)
    };
    let number = |svg: &mut Svg, class: &str, x: f64, y: f64, n: i32| {
        let text = n.to_string().replace('-', "−");
        svg.text(class, Anchor::Middle, [x + cell / 2.0, y + 20.0], &text);
    };
    svg.rect("hot-i", [x0, y0 + row as f64 * cell], [4.0 * cell, cell]);
    svg.rect("hot-j", [x0 + 4.6 * cell, y0], [cell, 4.0 * cell]);
    svg.rect("hot-i", [x0 + 6.6 * cell, y0 + row as f64 * cell], [cell, cell]);
    for (r, line) in W.iter().enumerate() {
        line.iter().enumerate().for_each(|(c, n)| number(&mut svg, "", x0 + c as f64 * cell, y0 + r as f64 * cell, *n));
        number(&mut svg, if r == row { "strong" } else { "" }, x0 + 6.6 * cell, y0 + r as f64 * cell, y[r]);
    }
    X.iter().enumerate().for_each(|(c, n)| number(&mut svg, "", x0 + 4.6 * cell, y0 + c as f64 * cell, *n));
    svg.rect("frame", [x0, y0], [4.0 * cell, 3.0 * cell]).rect("frame", [x0 + 4.6 * cell, y0], [cell, 4.0 * cell]);
    svg.rect("frame", [x0 + 6.6 * cell, y0], [cell, 3.0 * cell]);
    svg.text("strong", Anchor::Middle, [x0 + 6.1 * cell, y0 + 1.6 * cell], "=");
    for (name, at) in [("W", 2.0), ("x", 5.1), ("y", 7.1)] {
        svg.text("strong", Anchor::Middle, [x0 + at * cell, y0 - 9.0], name);
    }

    let signed = |n: i32| if n < 0 { format!("(−{})", -n) } else { n.to_string() };
    let terms: Vec<String> = W[row].iter().zip(X).map(|(w, x)| format!("{}·{}", signed(*w), signed(x))).collect();
    let mark = subscript(row + 1);
    let caption = format!(
        "<b>Joined legs are summed over; free legs remain.</b> W has the free leg <i class=\"i\" data-index=\"i\">i</i>, and shares \
         <i class=\"j\" data-index=\"j\">j</i> with x. So y has one leg, <i class=\"i\" data-index=\"i\">i</i>, and y{mark} = {} = {}.",
        terms.join(" + "),
        signed(y[row]).replace(['(', ')'], "")
    );
    let mut table = Table::new("y = W·x", &["row", "W", "x", "y"]);
    for (r, line) in W.iter().enumerate() {
        let list = |numbers: &[i32]| numbers.iter().map(i32::to_string).collect::<Vec<_>>().join(" ");
        table.row([(r + 1).to_string(), list(line), list(&X), y[r].to_string()]);
    }
    let how = "y<sub>i</sub> = Σ<sub>j</sub> W<sub>ij</sub>·x<sub>j</sub>, in whole numbers.".into();
    let label = format!(
        "Node W with legs i and j; j is joined with vector x. Beside it the same with numbers, row {} marked.",
        row + 1
    );
    Ok(Figure { picture: svg.image(&label), caption, table, how })
}
