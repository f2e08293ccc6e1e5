//! Plain text, as it is or compressed (`.gz`): one paragraph a line, a blank line between articles.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::error::Error;

/// The paragraphs of one article.
pub type Article = Vec<String>;

/// The articles of a file, one at a time.
pub struct Articles {
    path: PathBuf,
    reader: Box<dyn BufRead + Send>,
    line: usize,
    done: bool,
}

impl Articles {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(|e| Error::file(path, e))?;
        let gzip = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
        let reader: Box<dyn BufRead + Send> =
            if gzip { Box::new(BufReader::new(MultiGzDecoder::new(file))) } else { Box::new(BufReader::new(file)) };
        Ok(Self { path: path.to_owned(), reader, line: 0, done: false })
    }

    /// The next line without its end; `None` at the end of the file.
    fn next_line(&mut self) -> Result<Option<String>, Error> {
        let mut bytes = Vec::new();
        self.line += 1;
        let fail = |reason: String| Error::file(&self.path, format!("line {}: {reason}", self.line));
        if self.reader.read_until(b'\n', &mut bytes).map_err(|e| fail(format!("{e}; copy the file again")))? == 0 {
            return Ok(None);
        }
        let text =
            String::from_utf8(bytes).map_err(|_| fail("not UTF-8; convert it, with iconv for example".into()))?;
        Ok(Some(text.trim_start_matches('\u{feff}').trim().to_owned()))
    }
}

impl Iterator for Articles {
    type Item = Result<Article, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut article = Article::new();
        while !self.done {
            match self.next_line() {
                Ok(None) => self.done = true,
                Ok(Some(line)) if !line.is_empty() => article.push(line),
                // Blank lines end an article; several of them end one.
                Ok(Some(_)) if article.is_empty() => {}
                Ok(Some(_)) => break,
                Err(error) => {
                    self.done = true;
                    return Some(Err(error));
                }
            }
        }
        (!article.is_empty()).then_some(Ok(article))
    }
}

/// The articles of all files, in their order.
///
/// # Errors
/// [`Error::File`] if one cannot be opened.
pub fn articles(paths: &[PathBuf]) -> Result<impl Iterator<Item = Result<Article, Error>> + Send + use<>, Error> {
    let files: Vec<Articles> = paths.iter().map(|path| Articles::open(path)).collect::<Result<_, _>>()?;
    Ok(files.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(path: &Path) -> Result<Vec<Article>, Error> {
        articles(&[path.to_owned()])?.collect()
    }

    #[test]
    fn blank_lines_part_articles_compressed_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let text = "\u{feff}\r\n first \r\nsecond\n\n \nthird\n\n";
        let plain = folder.path().join("a.txt");
        std::fs::write(&plain, text).unwrap();
        let zipped = folder.path().join("a.txt.gz");
        let mut encoder = flate2::write::GzEncoder::new(File::create(&zipped).unwrap(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap();
        for path in [&plain, &zipped] {
            assert_eq!(read(path).unwrap(), [vec!["first", "second"], vec!["third"]]);
        }
    }

    #[test]
    fn damage_names_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes, needle) in [
            ("latin1.txt", &b"fine\ncaf\xe9\n"[..], "line 2: not UTF-8"),
            ("no.txt.gz", &b"not compressed"[..], "line 1: "),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains(needle) && error.contains(name), "{error}");
        }
        assert!(read(&folder.path().join("none")).is_err());
    }
}
