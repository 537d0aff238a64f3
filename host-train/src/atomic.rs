//! Files that are there whole or not at all.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tempfile::NamedTempFile;

/// How the name of a file begins that is being written.
const PREFIX: &str = ".thumbnet-";
/// How it ends.
const SUFFIX: &str = ".part";
/// Links that lead from one to the next at most, as in Linux.
const MOST_LINKS: usize = 40;

/// Held from before a part is made until it has the file's name.
static WRITING: Mutex<()> = Mutex::new(());

/// Waits for the file that is being written, and lets none begin: what ends the program then leaves nothing half done.
pub fn hold() -> MutexGuard<'static, ()> {
    // It guards nothing that a panic could have spoilt.
    WRITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes `bytes` to `path`: first into a new file in the same folder, then renamed onto it. A reader, or a run after
/// an interruption, sees the old file or the new one, never a part, and what is written is on the disk.
///
/// What `path` links to is written, whether it exists or not, and not the link; its folder must exist. An old file's
/// permissions stay; a new one's are those of any new file. An old file that is read-only stays as it is: that is an
/// error. What is no regular file, `/dev/null` or a pipe, is written to. Parts that a program left behind as it was
/// killed are removed from the folder.
///
/// # Errors
///
/// What the system says.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let Some(Place { path, old }) = Place::find(path)? else {
        return OpenOptions::new().write(true).open(path)?.write_all(bytes);
    };
    let _writing = hold();
    let folder = folder(&path);
    remove_parts(folder);
    let mut part = part(folder)?;
    part.write_all(bytes)?;
    if let Some(old) = old {
        part.as_file().set_permissions(old)?;
    }
    // The bytes before the name: a crash between the two leaves the old file.
    part.as_file().sync_all()?;
    part.persist(&path).map_err(|error| error.error)?;
    sync_folder(folder)
}

/// Fails where [`write()`] would, as far as can be known without the bytes: `len` of them, of zero, are written to the
/// disk and removed. A folder that does not exist counts as one that [`make_folder`] makes.
///
/// # Errors
///
/// What the system says.
pub fn check(path: &Path, len: usize) -> io::Result<()> {
    let Some(Place { path, .. }) = Place::find(path)? else { return check_special(path) };
    let exists = |folder: &&Path| folder.as_os_str().is_empty() || fs::symlink_metadata(folder).is_ok();
    let folder = match folder(&path).ancestors().find(exists) {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    refuse_dangling(folder)?;
    // It has no name, or loses it at once.
    let mut file = tempfile::tempfile_in(folder).map_err(|error| without_part(&error, folder))?;
    io::copy(&mut io::repeat(0).take(len as u64), &mut file)?;
    file.sync_all()
}

/// Makes a folder and those above it, where they are missing.
///
/// # Errors
///
/// What the system says; or where a link leads that leads to nothing.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    folder.ancestors().try_for_each(refuse_dangling)?;
    fs::create_dir_all(folder)
}

/// The system says of a link to nothing that the folder exists.
fn refuse_dangling(folder: &Path) -> io::Result<()> {
    match fs::read_link(folder) {
        Ok(target) if !folder.exists() => Err(leads_to_nothing(folder, &target)),
        _ => Ok(()),
    }
}

fn leads_to_nothing(link: &Path, target: &Path) -> io::Error {
    let text = format!("the link {} leads to {}, which does not exist", link.display(), target.display());
    io::Error::new(io::ErrorKind::NotFound, text)
}

/// A folder cannot be written to. Of the others a device can be asked: one that is full refuses even no bytes.
fn check_special(path: &Path) -> io::Result<()> {
    let kind = fs::metadata(path)?.file_type();
    if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    #[cfg(unix)]
    if std::os::unix::fs::FileTypeExt::is_char_device(&kind) {
        return OpenOptions::new().write(true).open(path)?.write(&[]).map(drop);
    }
    Ok(())
}

/// Where a regular file is to be.
struct Place {
    /// No link.
    path: PathBuf,
    /// The permissions of the file that is there.
    old: Option<Permissions>,
}

impl Place {
    /// The place that `path` leads to; `None` where something stands there that is no regular file.
    fn find(path: &Path) -> io::Result<Option<Self>> {
        let old = match fs::metadata(path) {
            Ok(old) if !old.is_file() => return Ok(None),
            Ok(old) if old.permissions().readonly() => {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the file there is read-only"));
            }
            Ok(old) => {
                // The folder may allow it to be replaced; the file must allow it to be written.
                OpenOptions::new().write(true).open(path)?;
                Some(old.permissions())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let place = destination(path)?;
        if place != path && !folder(&place).exists() {
            return Err(leads_to_nothing(path, &place));
        }
        Ok(Some(Self { path: place, old }))
    }
}

/// What `path` leads to, over all links, even if nothing is there.
fn destination(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&path) {
            Ok(target) => path = folder(&path).join(target),
            // No link, or nothing.
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many links lead on from one to the next"))
}

/// A new file in `folder`, locked as long as it is written.
fn part(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    // Temporary files are made for their owner alone; results are for whom the system's mask lets see new files.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let part = builder.prefix(PREFIX).suffix(SUFFIX).tempfile_in(folder);
    let part = part.map_err(|error| without_part(&error, folder))?;
    // Where the file system knows no locks, parts that are left behind stay.
    let _ = part.as_file().lock();
    Ok(part)
}

/// An error without the name of a file that was to be made, of which its reader knows nothing.
fn without_part(error: &io::Error, folder: &Path) -> io::Error {
    io::Error::new(error.kind(), format!("no file can be made in {}: {}", folder.display(), error.kind()))
}

/// Removes the parts in `folder` that nobody writes any more. What cannot be removed stays: it is in nobody's way.
fn remove_parts(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        let is_part = name.starts_with(PREFIX.as_bytes()) && name.ends_with(SUFFIX.as_bytes());
        if is_part && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            let unlocked = File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok());
            let _ = unlocked.then(|| fs::remove_file(entry.path()));
        }
    }
}

/// Brings a file's name to the disk, where the system does that for folders.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // A folder that may not be read, or a file system that knows no such thing.
        Err(error) if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput) => Ok(()),
        result => result,
    }
}

/// The folder that a file is in.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Where the file `path` is, or would be if it existed, without links on the way; nothing where its folder is missing.
pub fn place(path: &Path) -> Option<PathBuf> {
    let path = destination(path).ok()?;
    fs::canonicalize(&path).ok().or_else(|| Some(fs::canonicalize(folder(&path)).ok()?.join(path.file_name()?)))
}

/// Whether both are the same file, or would be if they existed.
pub fn is_same(a: &Path, b: &Path) -> bool {
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
        for (path, len) in [("file", 1), ("other", 1 << 20), ("missing/folder/file", 1)] {
            check(&folder.path().join(path), len).unwrap();
        }
        assert_eq!(check(folder.path(), 1).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        check(&path.join("in/a/file"), 1).unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "a check leaves nothing");
    }

    #[test]
    fn what_is_read_only_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, b"old").unwrap();
        let mut permissions = fs::metadata(&path).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&path, permissions).unwrap();
        for result in [check(&path, 1), write(&path, b"new")] {
            assert_eq!(result.unwrap_err().to_string(), "the file there is read-only");
        }
        assert_eq!(fs::read(&path).unwrap(), b"old");
    }

    #[test]
    fn parts_that_were_left_behind_are_removed_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let left = [".thumbnet-a1B2c3.part", ".thumbnet-.part"].map(|name| folder.path().join(name));
        let foreign = ["thumbnet-a.part", ".thumbnet-a", ".other.part"].map(|name| folder.path().join(name));
        left.iter().chain(&foreign).for_each(|path| fs::write(path, b"part").unwrap());
        let written = part(folder.path()).unwrap();
        write(&folder.path().join("file"), b"new").unwrap();
        assert!(left.iter().all(|path| !path.exists()));
        assert!(foreign.iter().chain([&written.path().to_owned()]).all(|path| path.exists()));
    }

    #[test]
    fn what_holds_files_lets_none_begin() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let held = hold();
        std::thread::scope(|scope| {
            let writes = scope.spawn(|| write(&path, b"new"));
            std::thread::sleep(std::time::Duration::from_millis(50));
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
            drop(held);
            writes.join().unwrap().unwrap();
        });
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    #[cfg(unix)]
    fn links_are_followed_even_to_nothing() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("other")).unwrap();
        let [first, second, target] = ["first", "second", "other/target"].map(|name| folder.path().join(name));
        symlink("second", &first).unwrap();
        symlink("other/target", &second).unwrap();
        assert!(is_same(&first, &target) && is_same(&second, &first), "they would be, if the target existed");
        for bytes in [b"new", b"two"] {
            check(&first, 1).unwrap();
            write(&first, bytes).unwrap();
            assert!([&first, &second].iter().all(|path| fs::symlink_metadata(path).unwrap().is_symlink()));
            assert_eq!(fs::read(&target).unwrap(), bytes);
        }
        symlink("missing/target", folder.path().join("nowhere")).unwrap();
        write(&folder.path().join("nowhere"), b"").unwrap_err();
        symlink("circle", folder.path().join("circle")).unwrap();
        check(&folder.path().join("circle"), 1).unwrap_err();
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn devices_are_asked() {
        check(Path::new("/dev/null"), 1 << 30).unwrap();
        write(Path::new("/dev/null"), b"nothing").unwrap();
        for result in [check(Path::new("/dev/full"), 1), write(Path::new("/dev/full"), b"much")] {
            assert_eq!(result.unwrap_err().kind(), io::ErrorKind::StorageFull);
        }
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
