//! Numbers as the page prints them.

/// 22528 as `22,528`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// [`count`] of a `usize`.
pub fn size(n: usize) -> String {
    count(n as u64)
}

/// Three significant digits: `0.651`, `22.7`, `6,144`; below 0.001 and from a million on `1.13e-15`.
pub fn short(x: f64) -> String {
    let magnitude = x.abs();
    if !x.is_finite() {
        return "not finite".into();
    }
    if magnitude == 0.0 {
        return "0".into();
    }
    // What rounding to three digits makes of it decides, so that 0.9999 is 1.00.
    let text = format!("{magnitude:.2e}");
    let exponent: i32 = text.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
    let sign = if x < 0.0 { "−" } else { "" };
    match exponent {
        -3..=2 => format!("{sign}{magnitude:.*}", (2 - exponent) as usize),
        3..=5 => format!("{sign}{}", count(magnitude.round() as u64)),
        _ => format!("{sign}{text}"),
    }
}

/// A fraction as a percentage, `65.1 %`; tiny ones as `1.1e-13 %`.
pub fn percent(fraction: f64) -> String {
    let x = fraction * 100.0;
    if x != 0.0 && x.abs() < 0.05 { format!("{x:.1e} %") } else { format!("{x:.1} %") }
}

/// A ratio, `2.33`.
pub fn ratio(x: f64) -> String {
    if x < 99.995 { format!("{x:.2}") } else { short(x) }
}

/// Bytes as `15.6 MB` (powers of ten).
pub fn bytes(n: f64) -> String {
    let (value, unit) = match n {
        n if n < 1e3 => return format!("{n:.0} B"),
        n if n < 1e6 => (n / 1e3, "kB"),
        n if n < 1e9 => (n / 1e6, "MB"),
        n => (n / 1e9, "GB"),
    };
    format!("{value:.*} {unit}", if value < 10.0 { 2 } else { 1 })
}

/// Factors, `4·6·4`; runs of ones are kept short, `8·1·1·1·8`, `32·(nine 1s)·24` as `32·1⁹·24` would be misread.
pub fn factors(list: &[usize]) -> String {
    let ones = list.iter().filter(|f| **f == 1).count();
    if ones > 4 && list.len() == ones + 2 && list[0] > 1 {
        return format!("{}, {ones} ones, {}", list[0], list[list.len() - 1]);
    }
    list.iter().map(usize::to_string).collect::<Vec<_>>().join("·")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([count(0), count(999), count(6144), count(1234567)], ["0", "999", "6,144", "1,234,567"]);
        assert_eq!([short(0.0), short(0.65149), short(22.681), short(-6144.2)], ["0", "0.651", "22.7", "−6,144"]);
        assert_eq!(
            [short(0.99999), short(999.7), short(1.128e-15), short(2.5e7)],
            ["1.00", "1,000", "1.13e-15", "2.50e7"]
        );
        assert_eq!([short(0.00123), short(f64::NAN)], ["0.00123", "not finite"]);
        assert_eq!([percent(0.6515), percent(0.0), percent(2e-16)], ["65.1 %", "0.0 %", "2.0e-14 %"]);
        assert_eq!([bytes(12.0), bytes(49152.0), bytes(4.7e6)], ["12 B", "49.2 kB", "4.70 MB"]);
        assert_eq!(factors(&[4, 6, 4]), "4·6·4");
        assert_eq!(factors(&[32, 1, 1, 1, 1, 1, 1, 1, 1, 1, 24]), "32, 9 ones, 24");
    }
}
