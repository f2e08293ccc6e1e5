//! Horizontal bars with their numbers beside them.

use super::svg::{Anchor, Svg};

/// One bar.
#[derive(Debug, Clone)]
pub struct Bar {
    /// What it is.
    pub label: String,
    /// Its length; at least 0.
    pub value: f64,
    /// The number as text.
    pub text: String,
    /// Drawn in the accent.
    pub marked: bool,
}

/// Bars under a heading.
#[derive(Debug, Clone)]
pub struct Group {
    /// The heading.
    pub title: String,
    /// The bars.
    pub bars: Vec<Bar>,
}

const ROW: f64 = 24.0;
const HEAD: f64 = 28.0;

/// The groups below each other, all on one scale if `common`. Labels stand above their bars where it is narrow.
pub fn draw(width: f64, groups: &[Group], common: bool) -> Svg {
    let longest = |text: &dyn Fn(&Bar) -> usize| {
        groups.iter().flat_map(|g| &g.bars).map(text).max().unwrap_or(0) as f64 * 8.0 + 12.0
    };
    let names = longest(&|bar| bar.label.chars().count());
    let numbers = longest(&|bar| bar.text.chars().count());
    let stacked = width - names - numbers < 120.0;
    let (left, row) = if stacked { (0.0, 2.0 * ROW - 4.0) } else { (names, ROW) };
    let room = (width - left - numbers).max(20.0);
    let top = |bars: &mut dyn Iterator<Item = &Bar>| bars.fold(0.0f64, |top, bar| top.max(bar.value));
    let all = top(&mut groups.iter().flat_map(|g| &g.bars));
    let rows: usize = groups.iter().map(|group| group.bars.len()).sum();
    let heads = groups.iter().filter(|group| !group.title.is_empty()).count();
    let mut svg = Svg::new(width, rows as f64 * row + heads as f64 * HEAD + 4.0);
    let mut y = 0.0;
    for group in groups {
        if !group.title.is_empty() {
            svg.text("strong", Anchor::Start, [0.0, y + 18.0], &group.title);
            y += HEAD;
        }
        let scale = if common { all } else { top(&mut group.bars.iter()) };
        for bar in &group.bars {
            let base = if stacked { y + ROW - 4.0 } else { y };
            if stacked {
                svg.text("", Anchor::Start, [0.0, y + 15.0], &bar.label);
            } else {
                svg.text("", Anchor::End, [left - 8.0, y + 17.0], &bar.label);
            }
            let length = if scale > 0.0 { room * bar.value / scale } else { 0.0 };
            svg.rect(if bar.marked { "bar marked" } else { "bar" }, [left, base + 4.0], [length.max(1.0), 16.0]);
            svg.text("", Anchor::Start, [left + length.max(1.0) + 6.0, base + 17.0], &bar.text);
            y += row;
        }
    }
    svg
}
