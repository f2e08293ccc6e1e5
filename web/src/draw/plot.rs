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
    /// Powers of ten at bottom and top.
    pub decades: [f64; 2],
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
        let [low, high] = self.decades;
        let part = if value > 0.0 { (value.log10() - low) / (high - low) } else { 0.0 };
        self.y + self.h * (1.0 - part.clamp(0.0, 1.0))
    }

    /// Lines and labels of the value axis, one for each decade, or for as many as there is room for.
    pub fn grid(&self, svg: &mut Svg) {
        let [low, high] = self.decades;
        let step = ((high - low) * 16.0 / self.h).ceil().max(1.0);
        let mut decade = high;
        while decade >= low {
            let y = self.level(10f64.powf(decade));
            svg.line("grid", [self.x, y], [self.x + self.w, y]);
            svg.text("small", Anchor::End, [self.x - 5.0, y + 4.0], &power(decade as i32));
            decade -= step;
        }
        svg.line("axis", [self.x, self.y + self.h], [self.x + self.w, self.y + self.h]);
    }
}

/// `1`, `0.1`, `1e-5`.
fn power(decade: i32) -> String {
    match decade {
        -2..=3 => 10f64.powi(decade).to_string(),
        _ => format!("1e{decade}"),
    }
}

/// Powers of ten around all positive values, not more than 17 of them.
pub fn decades<'a>(values: impl IntoIterator<Item = &'a f64>) -> [f64; 2] {
    let (mut least, mut most) = (f64::INFINITY, 0.0f64);
    for value in values.into_iter().filter(|value| **value > 0.0) {
        least = least.min(*value);
        most = most.max(*value);
    }
    if most == 0.0 {
        return [-1.0, 0.0];
    }
    let high = most.log10().ceil();
    [least.log10().floor().max(high - DECADES).min(high - 1.0), high]
}

/// Singular values as dots on a step line.
pub fn spectrum(svg: &mut Svg, frame: &Frame, values: &[f64], keep: usize) {
    let steps = values.iter().enumerate().flat_map(|(k, s)| {
        let y = frame.level(*s);
        [[frame.edge(k), y], [frame.edge(k + 1), y]]
    });
    svg.polyline("curve", steps);
    if frame.w / frame.count.max(1) as f64 >= 3.0 {
        for (k, s) in values.iter().enumerate() {
            svg.circle(if k < keep { "dot" } else { "dot lost" }, [frame.at(k), frame.level(*s)], 2.4);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_holds_every_value() {
        assert_eq!(decades(&[1.9, 0.08]), [-2.0, 1.0]);
        assert_eq!(decades(&[1.0, 0.0]), [-1.0, 0.0]);
        assert_eq!(decades(&[0.0]), [-1.0, 0.0]);
        assert_eq!(decades(&[5.0, 1e-40]), [-16.0, 1.0]);
        let frame = Frame { x: 10.0, y: 0.0, w: 100.0, h: 50.0, count: 4, decades: [-1.0, 1.0] };
        assert_eq!([frame.level(1.0), frame.level(0.0), frame.level(100.0)], [25.0, 50.0, 0.0]);
        assert_eq!([frame.edge(4), frame.at(0)], [110.0, 22.5]);
    }
}
