//! Section 7: the order of contraction changes the cost, not the result.

use overfold::mpo::MpoError;

use super::{Context, Figure, Table};
use crate::draw::bars::{self, Bar, Group};
use crate::number::{bytes, count, ratio};

/// Cost of one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cost {
    /// A multiplication and an addition are two.
    flops: u64,
    /// Largest number of intermediate values at once, cores not counted.
    peak: u64,
}

/// A tensor during the contraction: left bond, external size, right bond; and whether it is an intermediate.
type Piece = ([u64; 3], bool);

pub fn draw(context: &Context<'_>) -> Result<Figure, MpoError> {
    let shape = &context.state.chain;
    let cores: Vec<[u64; 3]> =
        shape.core_dims().iter().map(|d| [d[0] as u64, (d[1] * d[2]) as u64, d[3] as u64]).collect();
    let orders: [(&str, Cost); 4] = [
        ("from the left", run(&cores, |_| 0)),
        ("from the right", run(&cores, |pieces| pieces.len() - 2)),
        ("in pairs", run(&cores, smallest)),
        ("cheapest", best(&cores)),
    ];
    let group = |title: &str, value: &dyn Fn(&Cost) -> u64, text: &dyn Fn(u64) -> String| Group {
        title: title.into(),
        bars: orders
            .iter()
            .map(|(name, cost)| Bar {
                label: (*name).into(),
                value: value(cost) as f64,
                text: text(value(cost)),
                marked: *name == "cheapest",
            })
            .collect(),
    };
    let memory = |n: u64| bytes(8.0 * n as f64);
    let groups =
        [group("Operations", &|c| c.flops, &count), group("Memory for intermediates (f64)", &|c| c.peak, &memory)];
    let svg = bars::draw(context.width, &groups, false);

    let cheapest = orders[3].1;
    let dearest = orders.iter().map(|(_, cost)| cost.flops).max().unwrap_or(0);
    let caption = if cores.len() < 2 {
        "<b>One core needs no contraction.</b>".into()
    } else {
        format!(
            "<b>Every order gives the same matrix, at another price.</b> The cheapest takes {} operations; the dearest of these takes {} times as many. \
             It is paid once per training step, or once at the end: the folded model never pays it.",
            count(cheapest.flops),
            ratio(dearest as f64 / cheapest.flops.max(1) as f64)
        )
    };
    let mut table =
        Table::new("Cost of contracting the chain", &["order", "operations", "intermediate values", "memory (f64)"]);
    for (name, cost) in &orders {
        table.row([(*name).to_string(), count(cost.flops), count(cost.peak), memory(cost.peak)]);
    }
    let how = "Joining [a, n, d] and [d, n′, b] takes 2·a·n·d·n′·b operations. In pairs: always the join with the smallest result. Cheapest: by trying all \
               orders (dynamic programming)."
        .into();
    Ok(Figure {
        picture: svg.image("Operations and memory of four orders of contraction, as bars."),
        caption,
        table,
        how,
    })
}

fn join([a, n, d]: [u64; 3], [_, m, b]: [u64; 3]) -> ([u64; 3], u64) {
    ([a, n * m, b], 2 * a * n * d * m * b)
}

fn values([a, n, b]: [u64; 3]) -> u64 {
    a * n * b
}

/// Joins pieces `next` and `next + 1` until one is left.
fn run(cores: &[[u64; 3]], next: impl Fn(&[Piece]) -> usize) -> Cost {
    let mut pieces: Vec<Piece> = cores.iter().map(|core| (*core, false)).collect();
    let mut cost = Cost { flops: 0, peak: 0 };
    while pieces.len() > 1 {
        let k = next(&pieces);
        let (joined, flops) = join(pieces[k].0, pieces[k + 1].0);
        let held: u64 = pieces.iter().filter(|(_, made)| *made).map(|(piece, _)| values(*piece)).sum();
        cost.flops += flops;
        cost.peak = cost.peak.max(held + values(joined));
        pieces.splice(k..k + 2, [(joined, true)]);
    }
    cost
}

/// The pair with the smallest result.
fn smallest(pieces: &[Piece]) -> usize {
    (0..pieces.len() - 1).min_by_key(|k| values(join(pieces[*k].0, pieces[k + 1].0).0)).unwrap_or(0)
}

/// The order with the fewest operations: the best split of every stretch of cores.
fn best(cores: &[[u64; 3]]) -> Cost {
    let m = cores.len();
    let mut table = vec![vec![(Cost { flops: 0, peak: 0 }, [0u64; 3]); m]; m];
    (0..m).for_each(|k| table[k][k].1 = cores[k]);
    for length in 2..=m {
        for from in 0..=m - length {
            let to = from + length - 1;
            let candidates = (from..to).map(|split| {
                let ((left, a), (right, b)) = (table[from][split], table[split + 1][to]);
                let (joined, flops) = join(a, b);
                // The left stretch is done first; its result is held while the right one is made.
                let made = |stretch: usize, piece| if stretch > 1 { values(piece) } else { 0 };
                let (l, r) = (made(split - from + 1, a), made(to - split, b));
                let peak = left.peak.max(l + right.peak).max(l + r + values(joined));
                (Cost { flops: left.flops + right.flops + flops, peak }, joined)
            });
            if let Some(found) = candidates.min_by_key(|(cost, _)| (cost.flops, cost.peak)) {
                table[from][to] = found;
            }
        }
    }
    table[0][m - 1].0
}

#[cfg(test)]
mod tests {
    use overfold::mpo::Shape;

    use super::*;

    #[test]
    fn the_cheaper_end_costs_what_the_library_says() {
        for text in ["8,1,8 x 12,1,8", "4,4,4 x 4,6,4", "2,3,4 x 3,2,2", "5 x 7", "16,1,1,1,4 x 4,1,1,1,24"] {
            let shape: Shape = text.parse().unwrap();
            let cores: Vec<[u64; 3]> =
                shape.core_dims().iter().map(|d| [d[0] as u64, (d[1] * d[2]) as u64, d[3] as u64]).collect();
            let ends = [run(&cores, |_| 0), run(&cores, |pieces| pieces.len() - 2)];
            let least = ends.iter().map(|cost| cost.flops).min().unwrap();
            assert_eq!(least, shape.contraction_cost().flops, "{text}");
            let cheapest = best(&cores);
            assert!(cheapest.flops <= least && cheapest.flops <= run(&cores, smallest).flops, "{text}");
        }
    }

    #[test]
    fn the_cheapest_order_is_found() {
        // (AB)C costs 2·(10·100·5 + 10·5·50), A(BC) 2·(100·5·50 + 10·100·50): the textbook's chain.
        assert_eq!(best(&[[10, 1, 100], [100, 1, 5], [5, 1, 50]]).flops, 2 * 7500);
    }
}
