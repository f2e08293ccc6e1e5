//! Messages between the page and its worker, as JSON.

use serde::{Deserialize, Serialize};

use crate::own::FileView;

/// From the page.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Request {
    /// The page is open, or its address has changed.
    Open {
        /// What stands behind `#`.
        hash: String,
        /// Width of a figure in CSS pixels.
        width: f64,
    },
    /// Controls were moved: the newest value of each.
    Set {
        /// Names and values.
        changes: Vec<(String, String)>,
    },
    /// The window was resized.
    Width {
        /// Width of a figure in CSS pixels.
        width: f64,
    },
}

/// To the page.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Reply {
    /// The address of this view.
    pub hash: String,
    /// Figures that changed.
    pub figures: Vec<Drawn>,
    /// Every control.
    pub controls: Vec<Control>,
    /// What had to be changed in what was asked for.
    pub notes: Vec<String>,
    /// What is wrong: names of controls and reasons.
    pub errors: Vec<(String, String)>,
    /// Sections to hide.
    pub hide: Vec<String>,
    /// The last step of the lesson to show; all if there is none.
    pub step: Option<usize>,
    /// The only section to show.
    pub embed: Option<String>,
    /// The visitor's file, if one is open.
    pub file: Option<FileView>,
}

/// The markup of a figure.
#[derive(Debug, Clone, Serialize)]
pub struct Drawn {
    /// Name of its `<figure>`.
    pub id: &'static str,
    /// SVG.
    pub picture: String,
    /// Caption.
    pub caption: String,
    /// Numbers.
    pub table: String,
    /// Formula and inputs.
    pub how: String,
}

/// A control's value and, for numbers, its limits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Control {
    /// Its name.
    pub name: &'static str,
    /// The value.
    pub value: String,
    /// Least and largest value.
    pub limits: Option<[usize; 2]>,
}

/// What a figure multiplies out, for the engine's GPU to do the same. The numbers go beside it, as arrays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Work {
    /// Name of the figure.
    pub figure: &'static str,
    /// The drawing that it belongs to: what comes of it is of no use for a later one.
    pub drawing: u32,
    /// Rows of W.
    pub rows: usize,
    /// Columns of W.
    pub cols: usize,
    /// The chains: (d_{k−1}, i_k, j_k, d_k) of every core.
    pub chains: Vec<Vec<[usize; 4]>>,
}
