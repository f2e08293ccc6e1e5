//! Pictures as SVG text: charts, tensor diagrams, heat maps. Pure, laid out for a width in CSS pixels, so that a narrow
//! screen gets a narrow picture and not small print.

pub mod bars;
pub mod diagram;
pub mod heat;
pub mod plot;
pub mod svg;

/// 12 as `₁₂`.
pub fn subscript(n: usize) -> String {
    n.to_string().bytes().filter_map(|digit| char::from_u32(0x2080 + u32::from(digit - b'0'))).collect()
}
