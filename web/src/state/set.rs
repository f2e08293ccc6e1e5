//! One value at a time: from a control or from the address, checked, clamped with a note.

use overfold::mpo::Shape;

use super::{MAX_ORDER, MAX_PARAMETERS, State};
use crate::number;

/// Sections that `hide` and `embed` may name.
pub const SECTIONS: [&str; 8] = ["hero", "node", "cut", "sweep", "surplus", "fold", "run", "reference"];
/// Steps of the lesson: the sections, two of which have more than one; see `page/step.js`.
pub const STEPS: usize = 11;

impl State {
    /// Sets what `name` stands for. A number outside of its limits is moved to the nearest one, which the note says.
    ///
    /// # Errors
    /// What is wrong with the text, for the visitor; nothing is changed then.
    pub fn set(&mut self, name: &str, text: &str) -> Result<Option<String>, String> {
        let rank = self.size[0].min(self.size[1]);
        let mut note = None;
        let mut number = |least: usize, most: usize| -> Result<usize, String> {
            let wanted: i64 = text.trim().parse().map_err(|_| format!("`{text}` is not a whole number"))?;
            let value = wanted.clamp(least as i64, most as i64);
            if value != wanted {
                note = Some(format!("{name} goes from {least} to {most}; {wanted} became {value}."));
            }
            Ok(value as usize)
        };
        match name {
            "matrix" => self.matrix = text.parse()?,
            "row" => self.row = number(1, 3)?,
            "cut" => self.cut = number(0, rank)?,
            "guess" if text.trim().is_empty() => self.guess = None,
            "guess" => self.guess = Some(number(0, rank)?),
            "shape" => {
                self.shape = self.checked(text)?;
                self.sweep = self.sweep.min(self.last_step());
            }
            "sweep" => self.sweep = number(0, self.last_step())?,
            "sample" => self.sample = text.parse()?,
            "chain" => {
                self.chain = self.checked(text)?;
                self.bond = self.bond.clamp(1, (self.chain.order() - 1).max(1));
                self.keep = self.keep.clamp(1, self.bond_dimension());
                self.fold = self.fold.min(self.chain.order() - 1);
            }
            "bond" => {
                self.bond = number(1, (self.chain.order() - 1).max(1))?;
                self.keep = self.keep.clamp(1, self.bond_dimension());
            }
            "kind" => self.kind = text.parse()?,
            "strength" => self.strength = number(0, 20)?,
            "keep" => self.keep = number(1, self.bond_dimension())?,
            "seed" => self.seed = number(0, 1_000_000)? as u64,
            "fold" => self.fold = number(0, self.chain.order() - 1)?,
            "rows" => self.rows = number(1, 1 << 17)?,
            "cols" => self.cols = number(1, 1 << 17)?,
            "cores" => self.cores = number(1, 64)?,
            "style" => self.style = text.parse()?,
            "preset" => self.preset(text)?,
            "hide" => {
                let (known, other) = text.split(',').filter(|s| !s.is_empty()).partition(|s| SECTIONS.contains(s));
                self.hide = Vec::from_iter::<Vec<&str>>(known).into_iter().map(String::from).collect();
                note = not_sections(&other);
            }
            "step" if text.is_empty() => self.step = None,
            "step" => self.step = Some(number(1, STEPS)?),
            "embed" if text.is_empty() => self.embed = None,
            "embed" if SECTIONS.contains(&text) => self.embed = Some(text.into()),
            "embed" => note = not_sections(&[text]),
            _ => return Err(format!("there is no `{name}` in this page")),
        }
        Ok(note)
    }

    /// A shape that fits the matrix and is not too large to draw and to compute with.
    fn checked(&self, text: &str) -> Result<Shape, String> {
        let shape: Shape = text.parse().map_err(|error: overfold::mpo::MpoError| error.to_string())?;
        shape.check(self.size[0], self.size[1]).map_err(|error| error.to_string())?;
        if shape.order() > MAX_ORDER {
            return Err(format!("{} cores; this page draws at most {MAX_ORDER}", shape.order()));
        }
        if shape.parameters() > MAX_PARAMETERS {
            let (has, most) = (number::size(shape.parameters()), number::size(MAX_PARAMETERS));
            return Err(format!("this chain has {has} numbers; this page computes with at most {most}"));
        }
        Ok(shape)
    }

    /// `shape:balanced:3`, `chain:paper:5`, or `calculator:3072:768:11`.
    fn preset(&mut self, text: &str) -> Result<(), String> {
        let fail = || format!("there is no preset `{text}`");
        let parts: Vec<&str> = text.split(':').collect();
        let number = |text: &str| text.parse::<usize>().map_err(|_| fail());
        match parts[..] {
            ["calculator", rows, cols, cores] => {
                (self.rows, self.cols, self.cores) = (number(rows)?, number(cols)?, number(cores)?);
                self.style = super::Style::Paper;
            }
            [name @ ("shape" | "chain"), style, cores] => {
                let [rows, cols] = self.size;
                let shape = match style {
                    "paper" => Shape::paper(rows, cols, number(cores)?),
                    _ => Shape::balanced(rows, cols, number(cores)?),
                };
                let shape = shape.map_err(|error| error.to_string())?;
                self.set(name, &shape.to_string())?;
            }
            _ => return Err(fail()),
        }
        Ok(())
    }
}

fn not_sections(names: &[&str]) -> Option<String> {
    (!names.is_empty())
        .then(|| format!("There is no section {}; sections are {}.", names.join(", "), SECTIONS.join(", ")))
}
