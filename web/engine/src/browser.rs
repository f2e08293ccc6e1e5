//! What the worker's script calls.

use std::borrow::Cow;
use std::collections::BTreeMap;

use burn::tensor::Device;
use log::{LevelFilter, Log, Metadata, Record};
use wasm_bindgen::prelude::*;

use crate::{Chains, Export, Session, chain, contract};

#[wasm_bindgen]
extern "C" {
    /// The worker's script hears of a panic before the module stops.
    #[wasm_bindgen(js_name = overfoldPanicked)]
    fn panicked(message: &str);
    /// And of what the libraries complain about.
    #[wasm_bindgen(js_name = overfoldLogged)]
    fn logged(message: &str);
}

/// Errors of the GPU arrive in callbacks without a caller; Burn's libraries can only log them.
struct Errors;

impl Log for Errors {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Error
    }
    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            logged(&record.args().to_string());
        }
    }
    fn flush(&self) {}
}

unsafe extern "C" {
    /// The linker's: what crates have to run before anything else.
    safe fn __wasm_call_ctors();
}

#[wasm_bindgen(start)]
fn start() {
    // Where nobody calls it the linker has every exported function call it, at every call.
    __wasm_call_ctors();
    std::panic::set_hook(Box::new(|info| panicked(&info.to_string())));
    // Only a second logger would be refused, and this runs once.
    if log::set_logger(&Errors).is_ok() {
        log::set_max_level(LevelFilter::Error);
    }
    // Where the browser does not know the instruction, products stay as they are.
    let _ = crate::fused::install();
}

/// Whether products are computed with a fused multiply-add on the CPU.
#[wasm_bindgen]
pub fn fused() -> bool {
    crate::fused::installed()
}

/// The files of an export as they arrive.
#[wasm_bindgen]
#[derive(Default)]
pub struct Download {
    files: BTreeMap<String, Cow<'static, [u8]>>,
}

#[wasm_bindgen]
impl Download {
    /// Nothing yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a file.
    pub fn add(&mut self, name: String, bytes: Vec<u8>) {
        self.files.insert(name, bytes.into());
    }

    /// Opens the export; `manifest` is the text of its `manifest.json`.
    ///
    /// # Errors
    /// The reason as text.
    pub fn open(self, manifest: &str) -> Result<Engine, JsError> {
        Ok(Engine { export: Export::open(manifest, self.files)?, chains: None, cpu: None, gpu: None })
    }
}

/// An export, on no device, one or both.
#[wasm_bindgen]
pub struct Engine {
    export: Export,
    chains: Option<Chains>,
    cpu: Option<Session>,
    gpu: Option<Session>,
}

#[wasm_bindgen]
impl Engine {
    /// Puts the models on the CPU.
    ///
    /// # Errors
    /// The reason as text.
    #[wasm_bindgen(js_name = openCpu)]
    pub fn open_cpu(&mut self) -> Result<(), JsError> {
        self.cpu = Some(Session::open(&self.export, Device::flex(), false)?);
        Ok(())
    }

    /// Puts the models on the GPU. To be called once: the device is never given back.
    ///
    /// # Errors
    /// The reason as text.
    #[wasm_bindgen(js_name = openGpu)]
    pub async fn open_gpu(&mut self) -> Result<(), JsError> {
        let device = Device::wgpu_options().init_async().await?;
        self.gpu = Some(Session::open(&self.export, device, true)?);
        Ok(())
    }

    /// Frees the models on a device.
    pub fn close(&mut self, gpu: bool) {
        *if gpu { &mut self.gpu } else { &mut self.cpu } = None;
    }

    /// Unfolds the first model's matrices, cuts the bonds if `bond` is given, folds them, and makes models of them: after
    /// the export's the folded one, then that of the chains. Returns [`crate::Folded`] as JSON.
    ///
    /// # Errors
    /// The reason as text.
    pub fn fold(&mut self, gpu: bool, bond: Option<usize>) -> Result<String, JsError> {
        let Some(weights) = self.export.weights().first() else { return Err(JsError::new("there is no model")) };
        let chains = match self.chains.take() {
            Some(chains) => chains,
            None => Chains::unfold(weights)?,
        };
        let (refolded, folded) = self.chains.insert(chains).fold(bond);
        let session = if gpu { &mut self.gpu } else { &mut self.cpu };
        session.as_mut().ok_or_else(absent)?.set_matrices(refolded);
        Ok(serde_json::to_string(&folded)?)
    }

    /// [`Export::encode`], as JSON.
    ///
    /// # Errors
    /// The reason as text.
    pub fn encode(&self, text: &str) -> Result<String, JsError> {
        Ok(serde_json::to_string(&self.export.encode(text)?)?)
    }

    /// Logits of a model for token ids.
    ///
    /// # Errors
    /// The reason as text.
    pub async fn logits(&self, gpu: bool, model: usize, ids: Vec<u32>) -> Result<Vec<f32>, JsError> {
        Ok(self.session(gpu)?.logits(model, &ids).await?)
    }

    /// Multiplies a chain of a matrix out: [`chain`] and [`contract`].
    ///
    /// # Errors
    /// The reason as text.
    pub async fn contract(
        &self,
        gpu: bool,
        rows: usize,
        cols: usize,
        dims: Vec<u32>,
        cores: Vec<f32>,
        matrix: Vec<f32>,
    ) -> Result<Vec<f32>, JsError> {
        let chain = chain(rows, cols, &dims, &cores)?;
        Ok(contract(&chain, &matrix, self.session(gpu)?.device()).await?)
    }
}

impl Engine {
    fn session(&self, gpu: bool) -> Result<&Session, JsError> {
        if gpu { &self.gpu } else { &self.cpu }.as_ref().ok_or_else(absent)
    }
}

fn absent() -> JsError {
    JsError::new("the models are not on that device")
}
