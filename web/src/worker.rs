//! What the worker's script calls.

use wasm_bindgen::prelude::*;

use crate::safetensors::header_length;
use crate::session::Session;

/// The lesson.
#[wasm_bindgen]
pub struct Lesson {
    session: Session,
}

#[wasm_bindgen]
impl Lesson {
    /// A page that nobody has touched.
    ///
    /// # Errors
    /// The reason as text.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Result<Self, JsError> {
        Ok(Self { session: Session::new()? })
    }

    /// Answers a message ([`crate::protocol`]), both as JSON.
    ///
    /// # Errors
    /// The reason as text.
    pub fn answer(&mut self, request: &str) -> Result<String, JsError> {
        let reply = self.session.answer(serde_json::from_str(request)?)?;
        Ok(serde_json::to_string(&reply)?)
    }

    /// The length of a file's header, from its first 8 bytes.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn header_length(&self, first: &[u8], bytes: f64) -> Result<f64, JsError> {
        Ok(header_length(first, bytes as u64)? as f64)
    }

    /// Opens a file by its header; gives the name of its first matrix.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn open(&mut self, name: &str, bytes: f64, header: &[u8]) -> Result<String, JsError> {
        Ok(self.session.open(name, bytes as u64, header)?.first().into())
    }

    /// First and last byte of the rows of a block.
    ///
    /// # Errors
    /// There is no such matrix.
    pub fn span(&self, matrix: &str, row: usize, col: usize) -> Result<Vec<f64>, JsError> {
        let file = self.session.file().ok_or_else(|| JsError::new("no file is open"))?;
        Ok(file.span(matrix, [row, col])?.map(|at| at as f64).to_vec())
    }

    /// Shows a block.
    ///
    /// # Errors
    /// There is no such matrix, or it is not finite.
    pub fn show(&mut self, matrix: &str, row: usize, col: usize, bytes: &[u8]) -> Result<String, JsError> {
        Ok(serde_json::to_string(&self.session.show(matrix, [row, col], bytes)?)?)
    }

    /// What a figure multiplies out ([`crate::protocol::Work`]), or null, as JSON.
    ///
    /// # Errors
    /// The reason as text.
    pub fn work(&self, figure: &str) -> Result<String, JsError> {
        Ok(serde_json::to_string(&self.session.work(figure))?)
    }

    /// The cores of one of its chains.
    pub fn cores(&self, figure: &str, chain: usize) -> Vec<f32> {
        self.session.cores(figure, chain)
    }

    /// The matrix.
    pub fn matrix(&self) -> Vec<f32> {
        self.session.matrix().to_vec()
    }

    /// The figure ([`crate::protocol::Drawn`]) with what the GPU made of it, or null if that comes too late, as JSON.
    ///
    /// # Errors
    /// The reason as text.
    pub fn multiplied(&self, figure: &str, drawing: u32, numbers: &[f32]) -> Result<String, JsError> {
        Ok(serde_json::to_string(&self.session.multiplied(figure, drawing, numbers)?)?)
    }
}
