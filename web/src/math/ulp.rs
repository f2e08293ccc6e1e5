//! Distances between f32 numbers in units in the last place: how many representable numbers lie between them.

/// Upper ends of the bins of [`histogram`]: 0, 1, 2–3, 4–7, …, and more than 1023.
pub const BINS: usize = 12;

/// The distance; through zero if the signs differ.
pub fn distance(a: f32, b: f32) -> u64 {
    // Bits of floats of one sign are ordered like the floats.
    let order = |x: f32| {
        let bits = x.to_bits() as i32;
        i64::from(if bits < 0 { i32::MIN - bits } else { bits })
    };
    order(a).abs_diff(order(b))
}

/// How many pairs are 0, 1, 2–3, 4–7, … ulp apart.
pub fn histogram(a: &[f32], b: &[f32]) -> [usize; BINS] {
    let mut bins = [0; BINS];
    for (a, b) in a.iter().zip(b) {
        let distance = distance(*a, *b);
        bins[((u64::BITS - distance.leading_zeros()) as usize).min(BINS - 1)] += 1;
    }
    bins
}

/// `0`, `1`, `2–3`, …
pub fn label(bin: usize) -> String {
    match bin {
        0 | 1 => bin.to_string(),
        bin if bin == BINS - 1 => format!("{} and more", 1u64 << (bin - 1)),
        _ => format!("{}–{}", 1u64 << (bin - 1), (1u64 << bin) - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_representable_numbers() {
        assert_eq!(distance(1.0, 1.0), 0);
        assert_eq!(distance(1.0, f32::from_bits(1.0f32.to_bits() + 3)), 3);
        assert_eq!(distance(0.0, -0.0), 0);
        assert_eq!(distance(f32::from_bits(1), -f32::from_bits(1)), 2);
        assert_eq!(histogram(&[1.0; 3], &[1.0, 1.0000001, 1.0000005])[..4], [1, 1, 0, 1]);
        assert_eq!([label(0), label(3), label(BINS - 1)], ["0", "4–7", "1024 and more"]);
    }
}
