//! Matrices as pictures: root mean squares of small blocks in shades of one color.

use super::svg::{Svg, px};

/// Shades, the first being the paper.
const SHADES: usize = 8;

/// A matrix brought to at most this many rows and columns.
pub const MOST: usize = 48;

/// Root mean squares over blocks.
#[derive(Debug, Clone)]
pub struct Map {
    /// Rows of the map.
    pub rows: usize,
    /// Columns of the map.
    pub cols: usize,
    /// Side of a block in entries of the matrix.
    pub block: usize,
    values: Vec<f64>,
}

impl Map {
    /// Of a row-major matrix.
    pub fn of(a: &[f64], rows: usize, cols: usize) -> Self {
        let block = rows.max(cols).div_ceil(MOST).max(1);
        let (down, across) = (rows.div_ceil(block), cols.div_ceil(block));
        let mut values = vec![0.0; down * across];
        for (row, line) in a.chunks(cols.max(1)).enumerate() {
            for (part, cell) in line.chunks(block).zip(&mut values[row / block * across..]) {
                *cell += part.iter().map(|x| x * x).sum::<f64>();
            }
        }
        for (at, cell) in values.iter_mut().enumerate() {
            // Blocks at the edges may be smaller.
            let (high, wide) = (block.min(rows - at / across * block), block.min(cols - at % across * block));
            *cell = (*cell / (high * wide) as f64).sqrt();
        }
        Self { rows: down, cols: across, block, values }
    }

    /// The largest value.
    pub fn top(&self) -> f64 {
        self.values.iter().fold(0.0, |top: f64, x| top.max(*x))
    }

    /// Draws the map with its top left corner at (x, y) and cells of `cell` pixels; `top` has the deepest shade. Cells of
    /// one shade are one path.
    pub fn draw(&self, svg: &mut Svg, [x, y]: [f64; 2], cell: f64, top: f64) {
        let shade = |value: f64| if top > 0.0 { ((value / top * SHADES as f64) as usize).min(SHADES - 1) } else { 0 };
        let (w, h) = (self.cols as f64 * cell, self.rows as f64 * cell);
        svg.rect("shade0", [x, y], [w, h]);
        for wanted in 1..SHADES {
            let mut d = String::new();
            for row in 0..self.rows {
                let line = &self.values[row * self.cols..(row + 1) * self.cols];
                let mut col = 0;
                while col < line.len() {
                    let run = line[col..].iter().take_while(|value| shade(**value) == wanted).count();
                    if run > 0 {
                        let (left, above, long) = (x + col as f64 * cell, y + row as f64 * cell, run as f64 * cell);
                        for (letter, value) in [('M', left), (' ', above), ('h', long), ('v', cell), ('h', -long)] {
                            d.push(letter);
                            px(value).push(&mut d);
                        }
                        d.push('z');
                    }
                    col += run.max(1);
                }
            }
            if !d.is_empty() {
                svg.path(&format!("shade{wanted}"), &d);
            }
        }
        svg.rect("frame", [x, y], [w, h]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_keep_the_energy() {
        let a: Vec<f64> = (0..96 * 64).map(|k| (k as f64).sin()).collect();
        let map = Map::of(&a, 96, 64);
        assert_eq!((map.rows, map.cols, map.block), (48, 32, 2));
        let energy: f64 = map.values.iter().map(|x| x * x * 4.0).sum();
        assert!((energy - a.iter().map(|x| x * x).sum::<f64>()).abs() < 1e-9);
        assert_eq!(Map::of(&[3.0; 6], 2, 3).top(), 3.0);
    }
}
