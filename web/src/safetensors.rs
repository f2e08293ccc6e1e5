//! A visitor's safetensors file: the header first, then only the slice that is looked at. The file is not to be trusted.
//!
//! Layout: 8 bytes little-endian length of the header, the header as JSON, then all tensors, row-major.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use thiserror::Error;

/// The largest header, in bytes; the format's own limit.
pub const MAX_HEADER: u64 = 100_000_000;
/// The most numbers of a matrix that are looked at: its decompositions still keep up with a slider.
pub const MAX_NUMBERS: usize = 256 * 256;
/// Sides of the piece that is looked at where a matrix has more numbers.
pub const SIDE: usize = 256;

/// What is wrong with a file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FileError {
    /// Too short for a header.
    #[error("this is no safetensors file: it has {0} bytes, less than the 8 that give the length of the header")]
    Short(u64),
    /// The header's length is absurd.
    #[error(
        "this is no safetensors file, or it is cut off: its header would have {header} bytes; the file has {file} and a header \
         at most {MAX_HEADER}"
    )]
    Header {
        /// Length of the header.
        header: u64,
        /// Length of the file.
        file: u64,
    },
    /// The header is no JSON of the right form.
    #[error("the header of this file cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// A tensor lies outside of the file, overlaps another, or has another length than its shape says.
    #[error("tensor `{name}`: {reason}")]
    Tensor {
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// There is nothing to show.
    #[error("this file has no matrix in F32, F16 or BF16")]
    NoMatrix,
    /// No such matrix.
    #[error("this file has no matrix `{0}`")]
    Unknown(String),
}

/// How numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtype {
    /// IEEE single.
    F32,
    /// IEEE half.
    F16,
    /// The upper half of a single.
    BF16,
}

impl Dtype {
    /// Bytes of a number.
    pub fn bytes(self) -> u64 {
        if self == Self::F32 { 4 } else { 2 }
    }

    /// Little-endian numbers.
    pub fn decode(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::F32 => bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            Self::BF16 => halves(bytes, |bits| f32::from_bits(u32::from(bits) << 16)),
            Self::F16 => halves(bytes, half),
        }
    }
}

fn halves(bytes: &[u8], convert: impl Fn(u16) -> f32) -> Vec<f32> {
    bytes.as_chunks::<2>().0.iter().map(|b| convert(u16::from_le_bytes(*b))).collect()
}

/// IEEE half to single.
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023) / 1024.0);
    sign * match exponent {
        0 => fraction * 2f32.powi(-14),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction) * 2f32.powi(exponent - 15),
    }
}

/// One matrix of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// How it is stored.
    pub dtype: Dtype,
    /// Rows and columns.
    pub size: [usize; 2],
    /// Where it begins in the file.
    pub begin: u64,
}

/// The header's length, from the file's first 8 bytes.
///
/// # Errors
/// [`FileError`] if the file is too short or the length cannot be.
pub fn header_length(first: &[u8], file: u64) -> Result<u64, FileError> {
    let Some(bytes) = first.first_chunk::<8>() else { return Err(FileError::Short(file)) };
    let header = u64::from_le_bytes(*bytes);
    if !(2..=MAX_HEADER.min(file.saturating_sub(8))).contains(&header) {
        return Err(FileError::Header { header, file });
    }
    Ok(header)
}

#[derive(Deserialize)]
struct Raw {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: [u64; 2],
}

/// The tensors of a header, without its metadata.
struct Header(Vec<(String, Raw)>);

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Tensors;
        impl<'de> Visitor<'de> for Tensors {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("tensors by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let mut tensors = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        map.next_value::<IgnoredAny>()?;
                    } else {
                        tensors.push((name, map.next_value()?));
                    }
                }
                Ok(Header(tensors))
            }
        }
        deserializer.deserialize_map(Tensors)
    }
}

/// The matrices of a file of `file` bytes, in the order of the file. All tensors are checked; only matrices of numbers are
/// given.
///
/// # Errors
/// [`FileError`] says what is wrong with the header, or that there is no matrix.
pub fn parse(header: &[u8], file: u64) -> Result<Vec<Entry>, FileError> {
    let Header(mut tensors) = serde_json::from_slice(header)?;
    let start = 8 + header.len() as u64;
    let size = file.saturating_sub(start);
    tensors.sort_unstable_by_key(|(_, raw)| raw.data_offsets);
    let mut found = Vec::new();
    let mut last: (u64, &str) = (0, "");
    for (name, Raw { dtype, shape, data_offsets: [begin, end] }) in &tensors {
        let fail = |reason: String| Err(FileError::Tensor { name: name.clone(), reason });
        if begin > end || *end > size {
            return fail(format!("bytes {begin} to {end} are not in the file, which has {size} after its header"));
        }
        if *begin < last.0 {
            return fail(format!("it overlaps `{}`", last.1));
        }
        last = (*end, name);
        let dtype = match dtype.as_str() {
            "F32" => Dtype::F32,
            "F16" => Dtype::F16,
            "BF16" => Dtype::BF16,
            _ => continue,
        };
        if shape.iter().try_fold(dtype.bytes(), |product, n| product.checked_mul(*n)) != Some(end - begin) {
            return fail(format!("{} bytes do not hold the shape {shape:?}", end - begin));
        }
        let side = |n: u64| usize::try_from(n).ok().filter(|n| *n > 0);
        if let [rows, cols] = shape[..]
            && let (Some(rows), Some(cols)) = (side(rows), side(cols))
        {
            found.push(Entry { name: name.clone(), dtype, size: [rows, cols], begin: start + begin });
        }
    }
    if found.is_empty() { Err(FileError::NoMatrix) } else { Ok(found) }
}

/// A block of a matrix: where to read, and what to keep of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// First row and column, from 0.
    pub corner: [usize; 2],
    /// Rows and columns.
    pub size: [usize; 2],
}

impl Block {
    /// The whole matrix if it has at most [`MAX_NUMBERS`], else a block of at most [`SIDE`] per side at a corner, moved into the
    /// matrix.
    pub fn at(entry: &Entry, corner: [usize; 2]) -> Self {
        let [rows, cols] = entry.size;
        // A matrix of one long row would leave nothing to cut.
        let whole = rows * cols <= MAX_NUMBERS && rows.max(cols) <= 4 * SIDE;
        let size = if whole { entry.size } else { entry.size.map(|n| n.min(SIDE)) };
        let corner = [0, 1].map(|k| corner[k].min(entry.size[k] - size[k]));
        Self { corner, size }
    }

    /// Bytes of the file that hold the block's rows.
    pub fn span(&self, entry: &Entry) -> [u64; 2] {
        let row = entry.size[1] as u64 * entry.dtype.bytes();
        let begin = entry.begin + self.corner[0] as u64 * row;
        [begin, begin + self.size[0] as u64 * row]
    }

    /// The block out of the bytes of its rows.
    pub fn pick(&self, entry: &Entry, bytes: &[u8]) -> Vec<f32> {
        let width = (entry.size[1] as u64 * entry.dtype.bytes()) as usize;
        let item = entry.dtype.bytes() as usize;
        let columns = self.corner[1] * item..(self.corner[1] + self.size[1]) * item;
        bytes.chunks_exact(width).flat_map(|row| entry.dtype.decode(&row[columns.clone()])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_text(header: &str, data: u64) -> Result<Vec<Entry>, FileError> {
        parse(header.as_bytes(), 8 + header.len() as u64 + data)
    }

    #[test]
    fn matrices_are_found() {
        let header = r#"{"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},
            "a":{"dtype":"BF16","shape":[2,2],"data_offsets":[24,32]},"ids":{"dtype":"I64","shape":[1],"data_offsets":[32,40]},
            "v":{"dtype":"F16","shape":[2],"data_offsets":[40,44]}}"#;
        let found = parse_text(header, 44).unwrap();
        assert_eq!(found.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!((found[0].size, found[0].begin), ([2, 3], 8 + header.len() as u64));
        let block = Block::at(&found[0], [9, 9]);
        assert_eq!(block, Block { corner: [0, 0], size: [2, 3] });
        let bytes: Vec<u8> = (0..6).flat_map(|x| (x as f32).to_le_bytes()).collect();
        assert_eq!(block.pick(&found[0], &bytes), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        let part = Block { corner: [1, 1], size: [1, 2] };
        assert_eq!(part.pick(&found[0], &bytes[12..]), [4.0, 5.0]);
        assert_eq!(part.span(&found[0]), [found[0].begin + 12, found[0].begin + 24]);
    }

    #[test]
    fn small_matrices_are_whole_and_large_ones_in_blocks() {
        let entry = |size| Entry { name: "w".into(), size, dtype: Dtype::F16, begin: 0 };
        for size in [[512, 128], [128, 512], [256, 256], [1024, 64]] {
            assert_eq!(Block::at(&entry(size), [7, 7]), Block { corner: [0, 0], size });
        }
        assert_eq!(Block::at(&entry([384, 1536]), [200, 1000]), Block { corner: [128, 1000], size: [256, 256] });
        assert_eq!(Block::at(&entry([2, 3000]), [0, 0]), Block { corner: [0, 0], size: [2, 256] });
    }

    #[test]
    fn bad_files_are_named() {
        let length = |n: u64, file| header_length(&n.to_le_bytes(), file).map_err(|error| error.to_string());
        assert!(length(1 << 60, 1000).unwrap_err().contains("1152921504606846976"));
        assert!(length(993, 1000).is_err());
        assert_eq!(length(992, 1000), Ok(992));
        assert!(header_length(&[1, 2], 2).unwrap_err().to_string().contains("2 bytes"));
        for (header, words) in [
            ("{", "cannot be read"),
            ("{}", "no matrix"),
            (r#"{"a":3}"#, "cannot be read"),
            (r#"{"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,48]}}"#, "not in the file"),
            (r#"{"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,23]}}"#, "do not hold the shape"),
            (r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#, "do not hold"),
            (
                r#"{"a":{"dtype":"F16","shape":[2,1],"data_offsets":[0,4]},"b":{"dtype":"F16","shape":[2,1],"data_offsets":[2,6]}}"#,
                "overlaps `a`",
            ),
        ] {
            let error = parse_text(header, 24).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn halves_are_read() {
        assert_eq!(Dtype::F16.decode(&[0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00]), [1.0, -2.0, 2f32.powi(-24)]);
        assert!(Dtype::F16.decode(&[0x00, 0x7e])[0].is_nan());
        assert_eq!(Dtype::F16.decode(&[0x00, 0x7c]), [f32::INFINITY]);
        assert_eq!(Dtype::BF16.decode(&[0x80, 0x3f]), [1.0]);
    }
}
