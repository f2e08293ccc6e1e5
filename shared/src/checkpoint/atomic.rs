//! Folders that appear complete or not at all.

use std::fs;
use std::path::Path;

use super::CheckpointError;

/// Calls `fill` with a temporary folder beside `to` and then gives it the name `to`, replacing what was there.
///
/// If `fill` fails, or the program is killed, `to` is as it was before.
///
/// # Errors
/// What `fill` returns, or [`CheckpointError::Io`] if folders cannot be made or renamed.
pub fn write_folder<E: From<CheckpointError>>(to: &Path, fill: impl FnOnce(&Path) -> Result<(), E>) -> Result<(), E> {
    let sibling = |suffix: &str| {
        let mut name = to.file_name().unwrap_or_default().to_owned();
        name.push(suffix);
        to.with_file_name(name)
    };
    let (partial, old) = (sibling(".partial"), sibling(".old"));
    let remove = |path: &Path| if path.exists() { fs::remove_dir_all(path) } else { Ok(()) };
    remove(&partial).map_err(CheckpointError::io(&partial))?;
    fs::create_dir_all(&partial).map_err(CheckpointError::io(&partial))?;
    if let Err(error) = fill(&partial) {
        // Best effort: the error that matters is the first one.
        let _ = fs::remove_dir_all(&partial);
        return Err(error);
    }
    remove(&old).map_err(CheckpointError::io(&old))?;
    if to.exists() {
        fs::rename(to, &old).map_err(CheckpointError::io(to))?;
    }
    fs::rename(&partial, to).map_err(CheckpointError::io(to))?;
    remove(&old).map_err(CheckpointError::io(&old))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_folder() {
        let root = tempfile::tempdir().unwrap();
        let to = root.path().join("out");
        let write = |text: &'static str, fail: bool| {
            write_folder::<CheckpointError>(&to, |dir| {
                fs::write(dir.join("a"), text).unwrap();
                if fail { Err(CheckpointError::io(dir)(std::io::Error::other("disk full"))) } else { Ok(()) }
            })
        };
        write("first", false).unwrap();
        assert!(write("second", true).unwrap_err().to_string().contains("disk full"));
        assert_eq!(fs::read_to_string(to.join("a")).unwrap(), "first");
        write("third", false).unwrap();
        assert_eq!(fs::read_to_string(to.join("a")).unwrap(), "third");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }
}
