//! Files that are there whole or not at all.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

/// Writes `bytes` to `path`: first into a new file in the same folder, then renamed onto it. A reader, or a run after an
/// interruption, sees the old file or the new one, never a part.
///
/// What `path` links to is replaced, and not the link. An old file's permissions stay; a new one's are those of any new file. What is
/// no regular file, `/dev/null` or a pipe, is written to.
///
/// # Errors
///
/// What the system says.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let old = match fs::metadata(path) {
        Ok(old) if !old.is_file() => return fs::OpenOptions::new().write(true).open(path)?.write_all(bytes),
        Ok(old) => Some(old.permissions()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let path = if old.is_some() { fs::canonicalize(path)? } else { path.into() };
    let mut builder = tempfile::Builder::new();
    // Temporary files are made for their owner alone; results are for whom the system's mask lets see new files.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.prefix(".").suffix(".part").tempfile_in(folder(&path))?;
    file.write_all(bytes)?;
    if let Some(old) = old {
        file.as_file().set_permissions(old)?;
    }
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// The folder that a file is in.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Whether both are the same file, or would be if they existed.
pub fn is_same(a: &Path, b: &Path) -> bool {
    let place = |path: &Path| -> Option<PathBuf> {
        fs::canonicalize(path).ok().or_else(|| Some(fs::canonicalize(folder(path)).ok()?.join(path.file_name()?)))
    };
    a == b || place(a).is_some_and(|a| place(b) == Some(a))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_whole_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write(&path, b"old").unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        write(&folder.path().join("missing/file"), b"").unwrap_err();
        write(folder.path(), b"").unwrap_err();
    }

    #[test]
    #[cfg(unix)]
    fn keeps_links_permissions_and_pipes() {
        use std::{
            io::Read,
            os::unix::fs::{FileTypeExt, PermissionsExt, symlink},
        };
        let folder = tempfile::tempdir().unwrap();
        let [file, link] = ["file", "link"].map(|name| folder.path().join(name));
        fs::write(&file, b"old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("file", &link).unwrap();
        write(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        // As any new file here, whatever the mask.
        let [ours, any] = ["ours", "any"].map(|name| folder.path().join(name));
        write(&ours, b"").unwrap();
        fs::write(&any, b"").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&any));

        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        // With one end for both, neither waits for the other.
        let mut end = fs::OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
        write(&pipe, b"through").unwrap();
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo(), "a pipe is no file to replace");
        let mut read = [0; 7];
        end.read_exact(&mut read).unwrap();
        assert_eq!(&read, b"through");
    }

    #[test]
    fn tells_files_apart() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b] = ["a", "b"].map(|name| folder.path().join(name));
        let other = folder.path().join(".").join("a");
        assert!(is_same(&a, &other) && !is_same(&a, &b), "files that do not exist");
        fs::write(&a, b"").unwrap();
        assert!(is_same(&a, &other) && !is_same(&a, &b));
        assert!(!is_same(&folder.path().join("missing/a"), &a));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("a", &b).unwrap();
            assert!(is_same(&a, &b), "a link");
        }
    }
}
