//! The figure in the page: an input, a sentence, and a bar for each bond.

use wasm_bindgen::prelude::*;
use web_sys::{Document, Element, HtmlInputElement};

use crate::Profile;

const SVG: &str = "http://www.w3.org/2000/svg";

/// Brings the figure to life; called when the module is loaded.
///
/// # Errors
/// If the page lacks the figure's elements.
#[wasm_bindgen(start)]
pub fn start() -> Result<(), JsValue> {
    let document = web_sys::window().and_then(|window| window.document()).ok_or("no document")?;
    let input: HtmlInputElement = element(&document, "shape")?.dyn_into()?;
    draw(&document, &input.value())?;
    let listened = input.clone();
    let redraw = Closure::<dyn FnMut()>::new(move || {
        if let Err(error) = draw(&document, &listened.value()) {
            wasm_bindgen::throw_val(error);
        }
    });
    input.set_oninput(Some(redraw.as_ref().unchecked_ref()));
    // It lives as long as the page.
    redraw.forget();
    Ok(())
}

fn element(document: &Document, id: &str) -> Result<Element, JsValue> {
    document.get_element_by_id(id).ok_or_else(|| format!("the page has no #{id}").into())
}

fn draw(document: &Document, text: &str) -> Result<(), JsValue> {
    let sentence = element(document, "sentence")?;
    let bars = element(document, "bars")?;
    bars.set_inner_html("");
    let profile = match Profile::of(text) {
        Ok(profile) => profile,
        Err(error) => {
            sentence.set_text_content(Some(&error.to_string()));
            return Ok(());
        }
    };
    sentence.set_text_content(Some(&profile.sentence()));
    let widest = profile.bonds.iter().copied().max().unwrap_or(1) as f64;
    let width = 600.0 / profile.bonds.len().max(1) as f64;
    for (k, &bond) in profile.bonds.iter().enumerate() {
        let height = 150.0 * bond as f64 / widest;
        let bar = document.create_element_ns(Some(SVG), "rect")?;
        for (name, value) in
            [("x", k as f64 * width + 2.0), ("y", 160.0 - height), ("width", width - 4.0), ("height", height)]
        {
            bar.set_attribute(name, &value.to_string())?;
        }
        let title = document.create_element_ns(Some(SVG), "title")?;
        title.set_text_content(Some(&format!("bond {}: dimension {bond}", k + 1)));
        bar.append_child(&title)?;
        bars.append_child(&bar)?;
    }
    Ok(())
}
