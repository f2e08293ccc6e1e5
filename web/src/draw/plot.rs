//! Charts over an index, with a logarithmic axis for values.

use super::svg::{Anchor, Svg};

/// Below this, a singular value is drawn at the bottom.
const DECADES: f64 = 17.0;

/// Where a chart is, and what it shows.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// Left edge of the data.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width of the data.
    pub w: f64,
    /// Height.
    pub h: f64,
    /// Number of places on the index axis.
    pub count: usize,
    /// Values at bottom and top.
    pub range: [f64; 2],
}

impl Frame {
    /// Center of place `k` (from 0).
    pub fn at(&self, k: usize) -> f64 {
        self.edge(k) + 0.5 * self.w / self.count.max(1) as f64
    }

    /// Left edge of place `k`.
    pub fn edge(&self, k: usize) -> f64 {
        self.x + self.w * k as f64 / self.count.max(1) as f64
    }

    /// Height of a value; those too small, zero included, at the bottom.
    pub fn level(&self, value: f64) -> f64 {
        let [low, high] = self.range.map(f64::log10);
        let part = if value > 0.0 { (value.log10() - low) / (high - low) } else { 0.0 };
        self.y + self.h * (1.0 - part.clamp(0.0, 1.0))
    }

    /// Lines and labels of the value axis: 1, 2, 5, 10, … over a short range; one for each power of ten over a long one, or for
    /// as many as there is room for.
    pub fn grid(&self, svg: &mut Svg) {
        let [low, high] = self.range.map(f64::log10);
        let fine = high - low < 2.5;
        let step = if fine { 1.0 } else { ((high - low) * 16.0 / self.h).ceil().max(1.0) };
        let mut decade = high.ceil();
        while decade > low - 1.0 {
            for (digit, shift) in [(1.0, 0.0), (2.0, 2f64.log10()), (5.0, 5f64.log10())] {
                let at = decade + shift;
                if (digit > 1.0 && !fine) || at < low - 1e-9 || at > high + 1e-9 {
                    continue;
                }
                let y = self.level(10f64.powf(at));
                svg.line("grid", [self.x, y], [self.x + self.w, y]);
                svg.text("small", Anchor::End, [self.x - 5.0, y + 4.0], &label(digit, decade as i32));
            }
            decade -= step;
        }
        svg.line("axis", [self.x, self.y + self.h], [self.x + self.w, self.y + self.h]);
    }
}

/// `1`, `0.2`, `1e-5`.
fn label(digit: f64, decade: i32) -> String {
    match decade {
        -2..=-1 => format!("{:.*}", (-decade) as usize, digit * 10f64.powi(decade)),
        0..=3 => format!("{:.0}", digit * 10f64.powi(decade)),
        _ => format!("{digit:.0}e{decade}"),
    }
}

/// Numbers of the form 1, 2, 5 times a power of ten around all positive values, not more than 17 powers apart.
pub fn range<'a>(values: impl IntoIterator<Item = &'a f64>) -> [f64; 2] {
    let (mut least, mut most) = (f64::INFINITY, 0.0f64);
    for value in values.into_iter().filter(|value| **value > 0.0) {
        least = least.min(*value);
        most = most.max(*value);
    }
    if most == 0.0 {
        return [0.1, 1.0];
    }
    let steps = |value: f64| {
        let decade = value.log10().floor();
        [1.0, 2.0, 5.0, 10.0].map(|digit| digit * 10f64.powf(decade))
    };
    let high = steps(most).into_iter().find(|step| *step >= most * (1.0 - 1e-12)).unwrap_or(most);
    let low = steps(least).into_iter().rev().find(|step| *step <= least * (1.0 + 1e-12)).unwrap_or(least);
    [low.max(high * 10f64.powf(-DECADES)).min(high / 10.0), high]
}

/// Radius of a dot in pixels.
const DOT: f64 = 2.4;

/// Singular values as a step line, with dots where they do not touch.
pub fn spectrum(svg: &mut Svg, frame: &Frame, values: &[f64], keep: usize) {
    let steps = values.iter().enumerate().flat_map(|(k, s)| {
        let y = frame.level(*s);
        [[frame.edge(k), y], [frame.edge(k + 1), y]]
    });
    svg.polyline("curve", steps);
    if frame.w / frame.count.max(1) as f64 >= 2.0 * DOT {
        for (k, s) in values.iter().enumerate() {
            svg.circle(if k < keep { "dot" } else { "dot lost" }, [frame.at(k), frame.level(*s)], DOT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_holds_every_value() {
        assert_eq!(range(&[1.9, 0.08]), [0.05, 2.0]);
        assert_eq!(range(&[1.9, 1.2]), [0.2, 2.0]);
        assert_eq!(range(&[1.0, 0.0]), [0.1, 1.0]);
        assert_eq!(range(&[0.0]), [0.1, 1.0]);
        assert!((range(&[5.0, 1e-40])[0] - 5e-17).abs() < 1e-30);
        assert_eq!([label(2.0, -1), label(5.0, 1), label(1.0, -7), label(1.0, 4)], ["0.2", "50", "1e-7", "1e4"]);
        let frame = Frame { x: 10.0, y: 0.0, w: 100.0, h: 50.0, count: 4, range: [0.1, 10.0] };
        assert_eq!([frame.level(1.0), frame.level(0.0), frame.level(100.0)], [25.0, 50.0, 0.0]);
        assert_eq!([frame.edge(4), frame.at(0)], [110.0, 22.5]);
    }
}
