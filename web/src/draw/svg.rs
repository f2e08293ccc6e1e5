//! SVG as text. Colors and fonts come from `page/figure.css`, by class.

use std::fmt::{self, Write};

/// Text that may stand in markup, attributes included. Names from a visitor's file pass through here.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

/// A coordinate to a tenth of a pixel. Written digit by digit: a picture has thousands, and the exact decimals of a float take
/// ten times as long.
#[derive(Debug, Clone, Copy)]
pub struct Px(i32);

/// See [`Px`].
pub fn px(x: f64) -> Px {
    Px((x * 10.0).round() as i32)
}

impl Px {
    /// Writes it at the end of a text.
    pub fn push(self, out: &mut String) {
        let (mut digits, mut rest, mut place) = ([0; 16], self.0.unsigned_abs(), 0);
        // From the last digit to the first; the tenths and the ones always, tenths of 0 not.
        while rest > 0 || place < 2 {
            digits[place] = b'0' + (rest % 10) as u8;
            (rest, place) = (rest / 10, place + 1);
        }
        if self.0 < 0 {
            out.push('-');
        }
        out.extend(digits[1..place].iter().rev().map(|digit| char::from(*digit)));
        if digits[0] != b'0' {
            out.extend(['.', char::from(digits[0])]);
        }
    }
}

impl fmt::Display for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.push(&mut text);
        f.write_str(&text)
    }
}

/// Where a text's position is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// At its start.
    Start,
    /// In its middle.
    Middle,
    /// At its end.
    End,
}

/// A picture that grows.
#[derive(Debug, Clone)]
pub struct Svg {
    body: String,
    width: f64,
    height: f64,
}

impl Svg {
    /// An empty picture, in CSS pixels.
    pub fn new(width: f64, height: f64) -> Self {
        Self { body: String::new(), width, height }
    }

    /// Another picture of the same width below this one.
    pub fn stack(&mut self, below: &Self) -> &mut Self {
        let top = px(self.height);
        self.raw(&format!(r#"<g transform="translate(0 {top})">{}</g>"#, below.body));
        self.height += below.height;
        self
    }

    /// Markup as it is.
    pub fn raw(&mut self, markup: &str) -> &mut Self {
        self.body.push_str(markup);
        self
    }

    /// A line.
    pub fn line(&mut self, class: &str, [x1, y1]: [f64; 2], [x2, y2]: [f64; 2]) -> &mut Self {
        let (x1, y1, x2, y2) = (px(x1), px(y1), px(x2), px(y2));
        self.raw(&format!(r#"<line class="{class}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>"#))
    }

    /// A line of a certain width.
    pub fn thick(&mut self, class: &str, [x1, y1]: [f64; 2], [x2, y2]: [f64; 2], width: f64) -> &mut Self {
        let (x1, y1, x2, y2, w) = (px(x1), px(y1), px(x2), px(y2), px(width));
        self.raw(&format!(r#"<line class="{class}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke-width="{w}"/>"#))
    }

    /// A rectangle.
    pub fn rect(&mut self, class: &str, [x, y]: [f64; 2], [w, h]: [f64; 2]) -> &mut Self {
        let (x, y, w, h) = (px(x), px(y), px(w.max(0.0)), px(h.max(0.0)));
        self.raw(&format!(r#"<rect class="{class}" x="{x}" y="{y}" width="{w}" height="{h}"/>"#))
    }

    /// A circle.
    pub fn circle(&mut self, class: &str, [x, y]: [f64; 2], r: f64) -> &mut Self {
        let (x, y, r) = (px(x), px(y), px(r));
        self.raw(&format!(r#"<circle class="{class}" cx="{x}" cy="{y}" r="{r}"/>"#))
    }

    /// A path.
    pub fn path(&mut self, class: &str, d: &str) -> &mut Self {
        self.raw(&format!(r#"<path class="{class}" d="{d}"/>"#))
    }

    /// A line through points.
    pub fn polyline(&mut self, class: &str, points: impl IntoIterator<Item = [f64; 2]>) -> &mut Self {
        let mut list = String::new();
        for [x, y] in points {
            let _ = write!(list, "{},{} ", px(x), px(y));
        }
        let list = list.trim_end();
        self.raw(&format!(r#"<polyline class="{class}" points="{list}"/>"#))
    }

    /// Text; `class` may be empty.
    pub fn text(&mut self, class: &str, anchor: Anchor, [x, y]: [f64; 2], text: &str) -> &mut Self {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => r#" text-anchor="middle""#,
            Anchor::End => r#" text-anchor="end""#,
        };
        let class = if class.is_empty() { String::new() } else { format!(r#" class="{class}""#) };
        let (x, y, text) = (px(x), px(y), escape(text));
        self.raw(&format!(r#"<text{class}{anchor} x="{x}" y="{y}">{text}</text>"#))
    }

    /// The picture as one image, with a text for those who do not see it.
    pub fn image(self, label: &str) -> String {
        self.finish(&format!(r#"role="img" aria-label="{}""#, escape(label)))
    }

    /// The picture as a group of items that each can be focused and have a text of their own.
    pub fn group(self, label: &str) -> String {
        self.finish(&format!(r#"role="group" aria-label="{}""#, escape(label)))
    }

    fn finish(self, attributes: &str) -> String {
        let (w, h) = (px(self.width), px(self.height));
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" {attributes}>{}</svg>"#,
            self.body
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_can_become_markup() {
        let mut svg = Svg::new(10.0, 10.0);
        svg.text("", Anchor::Middle, [1.04, 2.0], "<script>\"'&");
        let text = svg.image("a\"b");
        assert!(text.contains("x=\"1\" y=\"2\">&lt;script&gt;&quot;&#39;&amp;</text>"), "{text}");
        assert!(text.contains("aria-label=\"a&quot;b\""));
    }

    #[test]
    fn coordinates_are_those_to_a_tenth() {
        for (x, text) in
            [(0.0, "0"), (12.0, "12"), (0.06, "0.1"), (-0.04, "0"), (-3.25, "-3.3"), (-0.3, "-0.3"), (719.96, "720")]
        {
            assert_eq!(px(x).to_string(), text);
        }
    }
}
