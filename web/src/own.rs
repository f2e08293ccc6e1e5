//! A file that the visitor opened, as far as it has been read.

use serde::Serialize;

use crate::matrix::Matrix;
use crate::safetensors::{Block, Entry, FileError, parse};
use crate::state::Source;

/// A file with its matrices, and the block that is shown.
#[derive(Debug, Clone)]
pub struct OwnFile {
    name: String,
    entries: Vec<Entry>,
    shown: Option<(String, Block)>,
}

/// What the page shows of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileView {
    /// Its name.
    pub name: String,
    /// Its matrices with their sizes.
    pub matrices: Vec<(String, [usize; 2])>,
    /// The matrix shown.
    pub chosen: Option<String>,
    /// First row and column of the block, from 0.
    pub corner: [usize; 2],
    /// The largest corner.
    pub limits: [usize; 2],
}

impl OwnFile {
    /// From the header of a file of `bytes` bytes.
    ///
    /// # Errors
    /// [`FileError`] says what is wrong.
    pub fn open(name: &str, bytes: u64, header: &[u8]) -> Result<Self, FileError> {
        Ok(Self { name: name.into(), entries: parse(header, bytes)?, shown: None })
    }

    /// The name of the matrix to begin with: a query weight, as the built-in one is, or the first.
    pub fn first(&self) -> &str {
        let query = self.entries.iter().find(|entry| entry.name.ends_with("attention.self.query.weight"));
        &query.unwrap_or(&self.entries[0]).name
    }

    /// Where in the file the rows of a block are.
    ///
    /// # Errors
    /// [`FileError::Unknown`] if there is no such matrix.
    pub fn span(&self, matrix: &str, corner: [usize; 2]) -> Result<[u64; 2], FileError> {
        let entry = self.entry(matrix)?;
        Ok(Block::at(entry, corner).span(entry))
    }

    /// The block, from the bytes of its rows.
    ///
    /// # Errors
    /// [`FileError`] if there is no such matrix, or it is not finite.
    pub fn load(&mut self, matrix: &str, corner: [usize; 2], bytes: &[u8]) -> Result<Matrix, FileError> {
        let entry = self.entry(matrix)?;
        let block = Block::at(entry, corner);
        let ([row, col], [rows, cols]) = (block.corner, block.size);
        let part = if block.size == entry.size {
            String::new()
        } else {
            format!("rows {row} to {} and columns {col} to {} of ", row + rows - 1, col + cols - 1)
        };
        let origin = format!("{part}{matrix} in the file {}", self.name);
        let matrix = Matrix::new(Source::Own, origin, block.size, block.pick(entry, bytes))
            .map_err(|error| FileError::Tensor { name: matrix.into(), reason: error.to_string() })?;
        self.shown = Some((entry.name.clone(), block));
        Ok(matrix)
    }

    /// What the page shows.
    pub fn view(&self) -> FileView {
        let block = self.shown.as_ref().map(|(_, block)| *block);
        let chosen = self.shown.as_ref().map(|(name, _)| name.clone());
        let whole =
            self.entries.iter().find(|entry| Some(&entry.name) == chosen.as_ref()).map_or([0, 0], |entry| entry.size);
        let size = block.map_or([0, 0], |block| block.size);
        FileView {
            name: self.name.clone(),
            matrices: self.entries.iter().map(|entry| (entry.name.clone(), entry.size)).collect(),
            chosen,
            corner: block.map_or([0, 0], |block| block.corner),
            limits: [0, 1].map(|k| whole[k] - size[k]),
        }
    }

    fn entry(&self, matrix: &str) -> Result<&Entry, FileError> {
        self.entries.iter().find(|entry| entry.name == matrix).ok_or_else(|| FileError::Unknown(matrix.into()))
    }
}
