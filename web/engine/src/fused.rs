//! Products with a fused multiply-add, in browsers that have it.
//!
//! Rust cannot choose instructions at run time in WebAssembly: a module with one that the browser does not know is refused as a
//! whole. So the product is a module of its own, in this one's memory: `fused.wasm`, assembled from `fused.wat`.

use std::cell::OnceCell;

use js_sys::{Object, Reflect, Uint8Array, WebAssembly};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// What the module exports.
    type Fused;
    #[wasm_bindgen(method)]
    fn product(this: &Fused, x: *const f32, weight: *const f32, y: *mut f32, rows: usize, input: usize, output: usize);
}

thread_local! {
    static FUSED: OnceCell<Fused> = const { OnceCell::new() };
}

/// From here on products are computed so.
///
/// # Errors
/// The browser's reason not to take the module.
pub fn install() -> Result<(), JsValue> {
    let module = WebAssembly::Module::new(&Uint8Array::from(&include_bytes!("fused.wasm")[..]))?;
    let (engine, imports) = (Object::new(), Object::new());
    Reflect::set(&engine, &"memory".into(), &wasm_bindgen::memory())?;
    Reflect::set(&imports, &"engine".into(), &engine)?;
    let fused = WebAssembly::Instance::new(&module, &imports)?.exports().unchecked_into();
    if FUSED.with(|place| place.set(fused)).is_ok() {
        overfold::operations::set_product(product);
    }
    Ok(())
}

/// Whether they are.
pub fn installed() -> bool {
    FUSED.with(|fused| fused.get().is_some())
}

fn product(x: &[f32], weight: &[f32], y: &mut [f32], input: usize) {
    let (rows, output) = (x.len() / input, weight.len() / input);
    FUSED.with(|fused| {
        if let Some(fused) = fused.get() {
            fused.product(x.as_ptr(), weight.as_ptr(), y.as_mut_ptr(), rows, input, output);
        }
    });
}
