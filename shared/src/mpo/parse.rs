//! Shapes as text: `24,1*3,16 x 24,1*3,16`.

use std::fmt;
use std::str::FromStr;

use super::shape::MAX_ORDER;
use super::{MpoError, Shape};

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_factors(f, self.row_factors())?;
        f.write_str(" x ")?;
        write_factors(f, self.col_factors())
    }
}

fn write_factors(f: &mut fmt::Formatter<'_>, factors: &[usize]) -> fmt::Result {
    let runs = factors.chunk_by(|a, b| a == b);
    for (index, run) in runs.enumerate() {
        let comma = if index == 0 { "" } else { "," };
        match run.len() {
            count @ 3.. => write!(f, "{comma}{}*{count}", run[0])?,
            2 => write!(f, "{comma}{0},{0}", run[0])?,
            _ => write!(f, "{comma}{}", run[0])?,
        }
    }
    Ok(())
}

impl FromStr for Shape {
    type Err = MpoError;

    fn from_str(text: &str) -> Result<Self, MpoError> {
        let fail = |reason: String| MpoError::Parse { text: text.into(), reason };
        let (rows, cols) =
            text.split_once(['x', '×']).ok_or_else(|| fail("there is no ` x ` between rows and columns".into()))?;
        Self::new(parse_factors(rows).map_err(fail)?, parse_factors(cols).map_err(fail)?)
    }
}

fn parse_factors(text: &str) -> Result<Vec<usize>, String> {
    let mut factors = Vec::new();
    for part in text.split(',').map(str::trim) {
        let number = |text: &str| text.trim().parse::<usize>().map_err(|_| format!("`{part}` is not a factor"));
        let (factor, count) = match part.split_once('*') {
            Some((factor, count)) => (number(factor)?, number(count)?),
            None => (number(part)?, 1),
        };
        if count.saturating_add(factors.len()) > MAX_ORDER {
            return Err(format!("more than {MAX_ORDER} factors"));
        }
        factors.extend(std::iter::repeat_n(factor, count));
    }
    Ok(factors)
}

impl TryFrom<String> for Shape {
    type Error = MpoError;

    fn try_from(text: String) -> Result<Self, MpoError> {
        text.parse()
    }
}

impl From<Shape> for String {
    fn from(shape: Shape) -> Self {
        shape.to_string()
    }
}
