//! What the worker holds between messages. No browser in here: tested natively.

use overfold::mpo::{Mpo, MpoError};

use crate::draw::svg::escape;
use crate::figures::{self, Context};
use crate::math::product::Products;
use crate::matrix::Matrix;
use crate::own::OwnFile;
use crate::prepared::Prepared;
use crate::protocol::{Control, Drawn, Reply, Request, Work};
use crate::safetensors::FileError;
use crate::state::{Source, State};

/// Widths that figures are drawn for.
const WIDTHS: [f64; 2] = [260.0, 720.0];

/// The view, its matrix, and what was drawn last.
#[derive(Debug)]
pub struct Session {
    state: State,
    matrix: Matrix,
    /// The visitor's own matrix, kept while a built-in one is shown.
    own: Option<Matrix>,
    file: Option<OwnFile>,
    prepared: Prepared,
    width: f64,
    /// For each figure what it was drawn from; empty if all must be drawn.
    drawn: Vec<String>,
    /// For each figure the number of that drawing, and what it multiplied out.
    products: Vec<(u32, Products)>,
    drawings: u32,
}

impl Session {
    /// The page as it is before anything is touched.
    ///
    /// # Errors
    /// None in practice: the built-in matrix is tested.
    pub fn new() -> Result<Self, MpoError> {
        let matrix = Matrix::built_in(Source::Query)?;
        let state = State::new(Source::Query, [matrix.rows, matrix.cols])?;
        let prepared = Prepared::of(&matrix, &state)?;
        let (drawn, products) = (Vec::new(), vec![(0, Products::default()); figures::ALL.len()]);
        Ok(Self { state, matrix, own: None, file: None, prepared, width: WIDTHS[1], drawn, products, drawings: 0 })
    }

    /// The view.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Answers a message. Only figures whose inputs changed are drawn again.
    ///
    /// # Errors
    /// [`MpoError`] only if a built-in matrix is at fault.
    pub fn answer(&mut self, request: Request) -> Result<Reply, MpoError> {
        let (mut notes, mut errors) = (Vec::new(), Vec::new());
        match request {
            Request::Open { hash, width } => {
                self.resize(width);
                let size = [self.matrix.rows, self.matrix.cols];
                let is_own = self.matrix.source == Source::Own;
                // The visitor's matrix is not in the address: it stays, with a view of its own.
                if !is_own || !hash.contains("matrix=own") {
                    (self.state, notes) = State::from_hash(&hash, crate::matrix::BUILT_IN)?;
                    self.choose(self.state.matrix)?;
                } else {
                    let (state, found) = State::from_hash(&hash.replace("matrix=own", "matrix=query"), size)?;
                    (self.state, notes) = (State { matrix: Source::Own, ..state }, found);
                }
            }
            Request::Set { changes } => {
                for (name, value) in changes {
                    match self.state.set(&name, &value) {
                        Ok(note) => notes.extend(note),
                        Err(reason) => errors.push((name, reason)),
                    }
                    if self.state.matrix != self.matrix.source {
                        notes.extend(self.choose(self.state.matrix)?);
                    }
                }
            }
            Request::Width { width } => self.resize(width),
        }
        self.prepared.renew(&self.matrix, &self.state)?;
        Ok(self.reply(notes, errors))
    }

    /// Opens the visitor's file by its header; nothing of it is shown yet.
    ///
    /// # Errors
    /// [`FileError`] says what is wrong with it; the file opened before stays.
    pub fn open(&mut self, name: &str, bytes: u64, header: &[u8]) -> Result<&OwnFile, FileError> {
        Ok(self.file.insert(OwnFile::open(name, bytes, header)?))
    }

    /// The file that is open.
    pub fn file(&self) -> Option<&OwnFile> {
        self.file.as_ref()
    }

    /// Shows a block of a matrix of the visitor's file, from the bytes of its rows.
    ///
    /// # Errors
    /// [`FileError`] if there is no such matrix or it is not finite.
    pub fn show(&mut self, matrix: &str, corner: [usize; 2], bytes: &[u8]) -> Result<Reply, FileError> {
        let Some(file) = &mut self.file else { return Err(FileError::Unknown(matrix.into())) };
        let fail = |error: MpoError| FileError::Tensor { name: matrix.into(), reason: error.to_string() };
        let matrix = file.load(matrix, corner, bytes)?;
        let size = [matrix.rows, matrix.cols];
        if size != self.state.size {
            self.state = self.fresh(Source::Own, size).map_err(fail)?;
        }
        self.state.matrix = Source::Own;
        self.prepared = Prepared::of(&matrix, &self.state).map_err(fail)?;
        (self.own, self.matrix) = (Some(matrix.clone()), matrix);
        self.drawn.clear();
        Ok(self.reply(Vec::new(), Vec::new()))
    }

    /// What a figure multiplies out, as it stands; `None` if that is nothing.
    pub fn work(&self, figure: &str) -> Option<Work> {
        let (entry, (drawing, products)) = self.figure(figure)?;
        let dims = |chain: &Mpo| chain.cores().iter().map(|core| core.dims).collect();
        let chains: Vec<_> = products.chains().iter().map(dims).collect();
        let Matrix { rows, cols, .. } = self.matrix;
        (!chains.is_empty()).then_some(Work { figure: entry.id, drawing: *drawing, rows, cols, chains })
    }

    /// The cores of one of its chains in f32, one after the other; empty if there is no such chain.
    pub fn cores(&self, figure: &str, chain: usize) -> Vec<f32> {
        let chain = self.figure(figure).and_then(|(_, (_, products))| products.chains().get(chain));
        chain.map_or(&[][..], Mpo::cores).iter().flat_map(|core| &core.data).map(|x| *x as f32).collect()
    }

    /// W in f32, row-major.
    pub fn matrix(&self) -> &[f32] {
        &self.matrix.stored
    }

    /// The figure with the products that the GPU made of its [`Work`]: of each chain W′ and W − W′, one after the other. `None`
    /// if they come too late for the figure as it is now.
    ///
    /// # Errors
    /// None in practice: what was drawn once can be drawn again.
    pub fn multiplied(&self, figure: &str, drawing: u32, numbers: &[f32]) -> Result<Option<Drawn>, MpoError> {
        let Some((entry, (of, products))) = self.figure(figure) else { return Ok(None) };
        if *of != drawing {
            return Ok(None);
        }
        let Some(products) = products.by_gpu(numbers, &self.matrix)? else { return Ok(None) };
        Ok(Some(draw(entry, &self.context(&products))))
    }

    /// A figure, the number of its drawing, and what it multiplied out.
    fn figure(&self, id: &str) -> Option<(&'static figures::Entry, &(u32, Products))> {
        figures::ALL.iter().zip(&self.products).find(|(entry, _)| entry.id == id)
    }

    fn context<'a>(&'a self, products: &'a Products) -> Context<'a> {
        Context { state: &self.state, matrix: &self.matrix, prepared: &self.prepared, products, width: self.width }
    }

    /// Takes another matrix. Factors and indices that do not fit it go back to their start.
    fn choose(&mut self, source: Source) -> Result<Option<String>, MpoError> {
        if source == self.matrix.source {
            return Ok(None);
        }
        let matrix = match (source, &self.own) {
            (Source::Own, Some(own)) => own.clone(),
            (Source::Own, None) => {
                self.state.matrix = self.matrix.source;
                return Ok(Some("Open a file first: it is read in this page only.".into()));
            }
            _ => Matrix::built_in(source)?,
        };
        let size = [matrix.rows, matrix.cols];
        if size != self.state.size {
            self.state = self.fresh(source, size)?;
        }
        self.matrix = matrix;
        self.prepared = Prepared::of(&self.matrix, &self.state)?;
        self.drawn.clear();
        Ok(None)
    }

    /// The start for a matrix of another size; what a teacher has set stays.
    fn fresh(&self, source: Source, size: [usize; 2]) -> Result<State, MpoError> {
        let State { hide, step, embed, unknown, .. } = self.state.clone();
        Ok(State { hide, step, embed, unknown, ..State::new(source, size)? })
    }

    fn resize(&mut self, width: f64) {
        let width = if width.is_finite() { width.round().clamp(WIDTHS[0], WIDTHS[1]) } else { WIDTHS[1] };
        if width != self.width {
            self.width = width;
            self.drawn.clear();
        }
    }

    fn reply(&mut self, notes: Vec<String>, errors: Vec<(String, String)>) -> Reply {
        let inputs: Vec<String> = figures::ALL.iter().map(|entry| (entry.inputs)(&self.state)).collect();
        self.drawings += 1;
        let mut figures = Vec::new();
        for (k, entry) in figures::ALL.iter().enumerate().filter(|(k, _)| self.drawn.get(*k) != inputs.get(*k)) {
            let products = (entry.chains)(&self.context(&Products::default()));
            let products = products.map(|chains| Products::of(chains, &self.matrix));
            figures.push(match &products {
                Ok(products) => draw(entry, &self.context(products)),
                Err(error) => fault(entry.id, error),
            });
            self.products[k] = (self.drawings, products.unwrap_or_default());
        }
        self.drawn = inputs;
        Reply {
            hash: self.state.to_hash(),
            figures,
            controls: controls(&self.state),
            notes,
            errors,
            hide: self.state.hide.clone(),
            step: self.state.step,
            embed: self.state.embed.clone(),
            file: self.file.as_ref().map(OwnFile::view),
        }
    }
}

fn draw(entry: &figures::Entry, context: &Context<'_>) -> Drawn {
    let id = entry.id;
    match (entry.draw)(context) {
        Ok(figure) => {
            Drawn { id, picture: figure.picture, caption: figure.caption, table: figure.table.html(), how: figure.how }
        }
        Err(error) => fault(id, &error),
    }
}

fn fault(id: &'static str, error: &MpoError) -> Drawn {
    let caption = escape(&error.to_string());
    Drawn { id, picture: String::new(), caption, table: String::new(), how: String::new() }
}

/// Every control's value and limits.
fn controls(state: &State) -> Vec<Control> {
    let rank = state.size[0].min(state.size[1]);
    let text = |name, value| Control { name, value, limits: None };
    let number = |name, value: usize, limits| Control { name, value: value.to_string(), limits: Some(limits) };
    vec![
        text("matrix", state.matrix.to_string()),
        text("shape", State::spelled(&state.shape)),
        text("sample", state.sample.to_string()),
        text("chain", State::spelled(&state.chain)),
        text("kind", state.kind.to_string()),
        text("style", state.style.to_string()),
        text("guess", state.guess.map_or_else(String::new, |guess| guess.to_string())),
        number("row", state.row, [1, 3]),
        number("cut", state.cut, [0, rank]),
        number("sweep", state.sweep, [0, state.last_step()]),
        number("bond", state.bond, [1, (state.chain.order() - 1).max(1)]),
        number("strength", state.strength, [0, 20]),
        number("keep", state.keep, [1, state.bond_dimension()]),
        number("seed", state.seed as usize, [0, 1_000_000]),
        number("fold", state.fold, [0, state.chain.order() - 1]),
        number("rows", state.rows, [1, 1 << 17]),
        number("cols", state.cols, [1, 1 << 17]),
        number("cores", state.cores, [1, 64]),
    ]
}
