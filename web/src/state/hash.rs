//! The view as the part of the address behind `#`, and back.

use overfold::mpo::MpoError;

use super::{Source, State};

/// Keys in the order in which they must be read: a chain comes before the bonds that it has.
const KEYS: [&str; 21] = [
    "matrix", "row", "cut", "guess", "shape", "sweep", "sample", "chain", "bond", "kind", "strength", "keep", "seed",
    "fold", "rows", "cols", "cores", "style", "hide", "step", "embed",
];

impl State {
    /// The view of an address such as `#v=1&cut=20&shape=2,4,8_x_2,6,8`, and what had to be changed in it.
    ///
    /// # Errors
    /// [`MpoError`] if the matrix is empty.
    pub fn from_hash(hash: &str, size: [usize; 2]) -> Result<(Self, Vec<String>), MpoError> {
        let mut state = Self::new(Source::Query, size)?;
        let mut notes = Vec::new();
        let pairs: Vec<(String, String)> = hash
            .trim_start_matches('#')
            .split('&')
            // A bare `#section` is a place in the page, not a value.
            .filter_map(|part| part.split_once('='))
            .map(|(key, value)| (decode(key), decode(value)))
            .collect();
        for key in KEYS {
            // The last one counts.
            let Some((_, value)) = pairs.iter().rev().find(|(name, _)| name == key) else { continue };
            match state.set(key, value) {
                Ok(note) => notes.extend(note),
                Err(reason) => notes.push(format!("{key} in the address was left out: {reason}.")),
            }
        }
        if state.matrix == Source::Own {
            state.matrix = Source::Query;
            notes.push("A link cannot carry a file: the built-in matrix is shown.".into());
        }
        match pairs.iter().find(|(key, _)| key == "v") {
            Some((_, version)) if version != "1" => {
                notes.push(format!("This link was made by version {version} of the page; this is version 1."));
            }
            _ => {}
        }
        let is_known = |key: &str| key == "v" || KEYS.contains(&key);
        state.unknown = pairs.into_iter().filter(|(key, _)| !is_known(key)).collect();
        Ok((state, notes))
    }

    /// The shortest address that gives this view: what is as at the start is left out. Empty for the start itself.
    pub fn to_hash(&self) -> String {
        let Ok(start) = Self::new(self.matrix, self.size) else { return String::new() };
        let mut parts = Vec::new();
        let mut add = |key: &str, value: String, usual: String| {
            if value != usual {
                parts.push(format!("{key}={}", encode(&value)));
            }
        };
        add("matrix", self.matrix.to_string(), Source::Query.to_string());
        add("row", self.row.to_string(), start.row.to_string());
        add("cut", self.cut.to_string(), start.cut.to_string());
        add("guess", self.guess.map_or_else(String::new, |guess| guess.to_string()), String::new());
        add("shape", self.shape.to_string(), start.shape.to_string());
        add("sweep", self.sweep.to_string(), start.sweep.to_string());
        add("sample", self.sample.to_string(), start.sample.to_string());
        add("chain", self.chain.to_string(), start.chain.to_string());
        add("bond", self.bond.to_string(), start.bond.to_string());
        add("kind", self.kind.to_string(), start.kind.to_string());
        add("strength", self.strength.to_string(), start.strength.to_string());
        add("keep", self.keep.to_string(), start.keep.to_string());
        add("seed", self.seed.to_string(), start.seed.to_string());
        add("fold", self.fold.to_string(), start.fold.to_string());
        add("rows", self.rows.to_string(), start.rows.to_string());
        add("cols", self.cols.to_string(), start.cols.to_string());
        add("cores", self.cores.to_string(), start.cores.to_string());
        add("style", self.style.to_string(), start.style.to_string());
        add("hide", self.hide.join(","), String::new());
        add("step", self.step.map_or_else(String::new, |step| step.to_string()), String::new());
        add("embed", self.embed.clone().unwrap_or_default(), String::new());
        parts.extend(self.unknown.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))));
        if parts.is_empty() { String::new() } else { format!("#v=1&{}", parts.join("&")) }
    }
}

/// Blanks become `_`, which reads better than `%20`; everything but letters, digits and `,*.-` is escaped.
fn encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('_'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b',' | b'*' | b'.' | b'-' => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn decode(text: &str) -> String {
    let (bytes, mut out, mut at) = (text.as_bytes(), Vec::new(), 0);
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match (bytes[at], hex.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'_' | b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}
