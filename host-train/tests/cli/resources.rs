//! What the program takes from the system, and what it does where the system has none: files, threads, memory, readers.

use std::{
    ffi::OsString,
    fs,
    io::{BufRead, BufReader},
    os::unix::ffi::OsStringExt,
    process::{Command, Stdio},
};

use crate::{
    SMALL,
    support::{self, Folder, Outcome, host_train},
    train,
};

/// Calls the program in a shell, after `before`.
fn in_shell(before: &str, arguments: &str) -> Outcome {
    let line = format!("{before} exec {} {arguments}", env!("CARGO_BIN_EXE_host-train"));
    support::run(Command::new("sh").args(["-c", &line]))
}

#[test]
fn an_empty_variable_is_as_if_unset() {
    let folder = Folder::with_stripes();
    train(&folder, &["--epochs", "1", "--shows", "digits"]).success();
    let (run, data) = (folder.path("run"), folder.path("data"));
    in_shell("THUMBNET_DATA= RAYON_NUM_THREADS=", &format!("evaluate {run} --dataset {data}")).success();

    // The folder is the user's, in which another file stands for MNIST's.
    fs::create_dir_all(folder.path("user/thumbnet/mnist")).unwrap();
    fs::write(folder.path("user/thumbnet/mnist/train-images-idx3-ubyte"), "another").unwrap();
    let before = format!("HOME={0} XDG_DATA_HOME={0} THUMBNET_DATA=", folder.path("user"));
    let text = in_shell(&before, &format!("evaluate {run}")).error();
    assert!(text.contains("user/") && text.contains("train-images-idx3-ubyte: not MNIST's file"), "{text}");
}

/// A number's bytes may be any, in a variable as in an argument: the error names what they were meant for.
#[test]
fn a_number_that_is_not_utf8_is_one_line() {
    let bytes = OsString::from_vec(b"\xff4".into());
    let inspect = || support::command(["inspect", "no-such-file"]);
    for command in [inspect().env("RAYON_NUM_THREADS", &bytes), inspect().arg("--threads").arg(&bytes)] {
        let text = support::run(command).misuse();
        assert!(text.starts_with("error: invalid value '\u{fffd}4' for '--threads <N>': must be a whole"), "{text}");
    }
    let text = support::run(support::command(["train", "--epochs"]).arg(&bytes)).misuse();
    assert!(text.starts_with("error: invalid value '\u{fffd}4' for '--epochs <N>': must be a whole"), "{text}");
}

/// With a stack for each that no machine has, no thread can be started, as under `ulimit -u`.
#[test]
fn without_threads_one_does_the_work() {
    let folder = Folder::with_stripes();
    let (data, run) = (folder.path("data"), folder.path("run"));
    let none = format!("RUST_MIN_STACK={}", 1_u64 << 60);
    train(&folder, &["--epochs", "2", "--shows", "digits"]).success();
    let weights = fs::read(folder.path("run/weights.postcard")).unwrap();
    let small = SMALL.join(" ");
    for arguments in [
        format!("train --dataset {data} --out {run} {small} --epochs 2 --shows digits --threads 3"),
        format!("quantize {run} --dataset {data} --images 20"),
        format!("evaluate {run} --dataset {data}"),
        format!("evaluate {run}/model.blob --dataset {data}"),
        format!("inspect {run}"),
        "profile --network mnist-small --batch-size 1 --repeats 1".into(),
    ] {
        let outcome = in_shell(&none, &arguments);
        assert_eq!(outcome.status, Some(0), "{arguments}: {}", outcome.stderr);
        let note = "note: one thread does all the work, for no other can be started: ";
        assert!(outcome.stderr.starts_with(note) && outcome.stderr.lines().count() == 1, "{}", outcome.stderr);
    }
    assert_eq!(fs::read(folder.path("run/weights.postcard")).unwrap(), weights);
    let text = in_shell(&none, &format!("evaluate {run} --data-dir {}", folder.path("mnist"))).stderr;
    assert!(text.lines().count() == 2 && text.contains("MNIST cannot be fetched (no thread can be started"), "{text}");
}

#[test]
fn a_training_that_nobody_reads_goes_on_to_its_end() {
    let folder = Folder::with_stripes();
    let (data, run) = (folder.path("data"), folder.path("run"));
    for form in [&[][..], &["--json"]] {
        let fixed = ["train", "--dataset", &data, "--out", &run, "--epochs", "3"];
        let outcome = support::host_train_unread([&fixed, &SMALL[..], form].concat());
        assert_eq!((outcome.status, outcome.stderr.as_str()), (Some(0), ""));
        let history = fs::read_to_string(folder.path("run/history.csv")).unwrap();
        assert_eq!(history.lines().count(), 1 + 3, "{history}");
        fs::remove_dir_all(&run).unwrap();
    }
    // As behind `| head -4`: it reads some lines, and goes.
    let mut command = support::command(["train", "--dataset", &data, "--out", &run, "--epochs", "9"]);
    let mut child = command.args(SMALL).stdout(Stdio::piped()).spawn().unwrap();
    let lines: Vec<_> = BufReader::new(child.stdout.take().unwrap()).lines().take(4).map(Result::unwrap).collect();
    assert_eq!(lines[3], "Epoch 1/9");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(fs::read_to_string(folder.path("run/history.csv")).unwrap().lines().count(), 1 + 9);
}

#[test]
fn other_commands_end_quietly_where_nobody_reads() {
    let folder = Folder::with_stripes();
    train(&folder, &["--epochs", "1"]).success();
    let (run, data) = (folder.path("run"), folder.path("data"));
    for arguments in [
        &["inspect", &run][..],
        &["evaluate", &run, "--dataset", &data],
        &["quantize", &run, "--dataset", &data, "--images", "9"],
    ] {
        let outcome = support::host_train_unread(arguments);
        assert_eq!((outcome.status, outcome.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
    assert!(fs::exists(folder.path("run/model.blob")).unwrap(), "the work was done");
}

/// A result whose file is a pipe that nobody reads is not written, whatever becomes of the lines.
#[test]
fn a_result_that_nobody_reads_is_an_error() {
    let folder = Folder::with_stripes();
    train(&folder, &["--epochs", "1"]).success();
    let (run, file) = (folder.path("run"), folder.path("file"));
    let line = format!(
        "{} export {run} --out /dev/stdout --json 2>{file} | true; cat {file}",
        env!("CARGO_BIN_EXE_host-train")
    );
    let outcome = support::run(Command::new("sh").args(["-c", &line]));
    assert!(outcome.success().starts_with("error: cannot write /dev/stdout: Broken pipe"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_output_is_an_error_that_names_the_epoch() {
    let folder = Folder::with_stripes();
    let (data, run) = (folder.path("data"), folder.path("run"));
    let train = format!("train --dataset {data} --out {run} --epochs 3 {}", SMALL.join(" "));
    let text = in_shell("", &format!("{train} >/dev/full")).error();
    assert!(text.starts_with("error: standard output: No space left on device"), "{text}");
    assert!(!fs::exists(folder.path("run/weights.postcard")).unwrap(), "before the work");
    let text = in_shell("", &format!("{train} --json >/dev/full")).error();
    assert!(text.starts_with("error: epoch 1 of 3: standard output: No space left on device"), "{text}");
    for help in ["--help", "--version", "train --help"] {
        let text = in_shell("", &format!("{help} >/dev/full")).error();
        assert!(text.starts_with("error: standard output: No space left on device"), "{text}");
    }
}

#[test]
fn absurd_numbers_train_or_name_the_limit() {
    let folder = Folder::with_stripes();
    let (data, run) = (folder.path("data"), folder.path("run"));
    for epochs in ["18446744073709551615", "1000000000000"] {
        let mut command = support::command(["train", "--dataset", &data, "--out", &run, "--epochs", epochs]);
        let mut child = command.args(SMALL).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line == format!("Epoch 2/{epochs}")), "it trains");
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let (most, beyond) = ((1_u128 << usize::BITS) - 1, (1_u128 << usize::BITS).to_string());
    let limit = format!("to {most}; ");
    for option in ["--epochs", "--batch-size", "--seed"] {
        for number in [beyond.as_str(), "-1", "1.5", "1e3", "", "NaN"] {
            let text = host_train(["train", "--dataset", &data, option, number]).misuse();
            assert!(text.contains(&limit), "{option} {number}: {text}");
        }
    }
    let most = most.to_string();
    train(&folder, &["--epochs", "1", "--seed", &u64::MAX.to_string()]).success();
    host_train(["quantize", &run, "--dataset", &data, "--images", "9"]).success();
    let [blob, new] = ["run/model.blob", "new"].map(|name| folder.path(name));
    for (arguments, text) in [
        (&["train", "--dataset", &data, "--batch-size", &most][..], "but must be in 1..=100, the number of training"),
        (&["quantize", &run, "--dataset", &data, "--images", &most], "but must be in 1..=100, the number of training"),
        (
            &["sample", &blob, "--dataset", &data, "--images", &most, "--out", &new, "--scores", &run],
            "must be in 1..=30",
        ),
        (&["profile", "--batch-size", &most], "but must be from 1 to 4096"),
        (&["profile", "--repeats", &most], "but must be from 1 to 100000"),
    ] {
        let error = host_train(arguments).error();
        assert!(error.contains(text) || error.contains("cannot write"), "{arguments:?}: {error}");
    }
}

/// The data sets are not there: that the output cannot be written is noticed before.
#[test]
fn an_output_that_cannot_be_written_is_an_error_before_the_work() {
    let folder = Folder::with_stripes();
    train(&folder, &["--epochs", "1"]).success();
    let (run, data, none) = (folder.path("run"), folder.path("data"), folder.path("none"));
    host_train(["quantize", &run, "--dataset", &data, "--images", "9"]).success();
    let [blob, export, new] = ["run/model.blob", "file.safetensors", "new"].map(|name| folder.path(name));
    host_train(["export", &run, "--out", &export]).success();

    let [taken, read_only, below] = ["taken", "read-only", "read-only/below"].map(|name| folder.path(name));
    fs::create_dir(&taken).unwrap();
    fs::write(&read_only, "kept").unwrap();
    let mut permissions = fs::metadata(&read_only).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&read_only, permissions).unwrap();
    for (out, why) in [(&taken, "directory"), (&read_only, "read-only"), (&below, "ot a directory")] {
        for arguments in [
            &["quantize", &run, "--dataset", &none, "--out", out][..],
            &["evaluate", &blob, "--dataset", &none, "--scores", out],
            &["sample", &blob, "--dataset", &none, "--out", out, "--scores", &new],
            &["sample", &blob, "--dataset", &none, "--out", &new, "--scores", out],
            &["export", &run, "--out", out],
            &["import", &export, "--network", "mnist-small", "--out", out],
        ] {
            let text = host_train(arguments).error();
            let expected = format!("error: cannot write {out}: ");
            assert!(text.starts_with(&expected) && text.contains(why), "{arguments:?}: {text}");
        }
    }
    assert!(fs::read(read_only).unwrap() == b"kept" && !fs::exists(new).unwrap());
}

/// What stands in the way of a training's files, one of which is written after its first epoch only.
#[test]
fn a_training_notices_at_once_that_its_files_cannot_be_written() {
    let refused = |obstacle: &dyn Fn(&str), before: &str| {
        let folder = Folder::with_stripes();
        let (data, run) = (folder.path("data"), folder.path("run"));
        fs::create_dir(&run).unwrap();
        obstacle(&run);
        let arguments = format!("train --dataset {data} --out {run} {} --epochs 1", SMALL.join(" "));
        let outcome = in_shell(before, &arguments);
        assert_eq!(outcome.stdout, "", "it is refused before anything is said, and done");
        let text = outcome.error();
        assert!(text.starts_with(&format!("error: cannot write {run}/")), "{text}");
        text
    };
    for name in ["weights.postcard", "history.csv"] {
        let file = |run: &str| format!("{run}/{name}");
        refused(&|run| fs::create_dir(file(run)).unwrap(), "");
        let read_only = refused(
            &|run| {
                fs::write(file(run), "kept").unwrap();
                let mut permissions = fs::metadata(file(run)).unwrap().permissions();
                permissions.set_readonly(true);
                fs::set_permissions(file(run), permissions).unwrap();
            },
            "",
        );
        assert!(read_only.ends_with(&format!("{name}: the file there is read-only\n")), "{read_only}");
        #[cfg(target_os = "linux")]
        refused(&|run| std::os::unix::fs::symlink("/dev/full", file(run)).unwrap(), "");
    }
    // A disk too small for the weights' 107 KB: files of 64 KiB at most, in blocks of 512 bytes (dash) or 1024 (bash).
    let full = refused(&|_| (), "ulimit -f 64;");
    assert!(full.contains("weights.postcard: File too large"), "{full}");
}

#[test]
fn a_dangling_link_is_written_through() {
    let folder = Folder::with_stripes();
    let (run, target) = (folder.path("run"), folder.path("target"));
    fs::create_dir(&run).unwrap();
    std::os::unix::fs::symlink(&target, folder.path("run/weights.postcard")).unwrap();
    train(&folder, &["--epochs", "1"]).success();
    assert!(fs::symlink_metadata(folder.path("run/weights.postcard")).unwrap().is_symlink());
    assert!(fs::read(&target).unwrap().starts_with(b"thumbf32"));
    // What is read is not overwritten over a link either.
    let text = host_train(["export", &run, "--out", &target]).error();
    assert!(text.contains("one file cannot be read and written"), "{text}");
}

/// The name of a part that was to be written would tell a person nothing, nor that a link that leads nowhere exists.
#[test]
fn a_link_to_a_folder_that_is_not_there_is_an_error() {
    use std::os::unix::fs::symlink;
    let folder = Folder::with_stripes();
    train(&folder, &["--epochs", "1"]).success();
    let (run, data, nowhere) = (folder.path("run"), folder.path("data"), folder.path("nowhere"));
    let export = folder.path("file.safetensors");
    host_train(["export", &run, "--out", &export]).success();
    let [file_link, folder_link] = ["file-link", "folder-link"].map(|name| folder.path(name));
    symlink(format!("{nowhere}/file"), &file_link).unwrap();
    symlink(&nowhere, &folder_link).unwrap();
    let below = format!("{folder_link}/file");
    for (out, link, target) in [(&file_link, &file_link, &format!("{nowhere}/file")), (&below, &folder_link, &nowhere)]
    {
        for arguments in [
            &["quantize", &run, "--dataset", &data, "--images", "9", "--out", out][..],
            &["export", &run, "--out", out],
            &["import", &export, "--network", "mnist-small", "--out", out],
        ] {
            let text = host_train(arguments).error();
            let why = format!("the link {link} leads to {target}, which does not exist");
            assert_eq!(text, format!("error: cannot write {out}: {why}\n"), "{arguments:?}");
        }
    }
    let fixed = ["train", "--dataset", &data, "--epochs", "1", "--out", &folder_link];
    let text = host_train([&fixed, &SMALL[..]].concat()).error();
    let why = format!("the link {folder_link} leads to {nowhere}, which does not exist");
    assert_eq!(text, format!("error: cannot make folder {folder_link}: {why}\n"));
    assert!(!fs::exists(nowhere).unwrap(), "no folder is made through a link");
}

/// A signal ends the training, between two files and not within one; what a program left that was killed is gone then.
#[test]
fn a_signal_leaves_whole_files() {
    use std::os::unix::process::ExitStatusExt;
    let folder = Folder::with_stripes();
    let (data, run) = (folder.path("data"), folder.path("run"));
    for (name, number) in [("TERM", 15), ("INT", 2)] {
        fs::create_dir_all(&run).unwrap();
        fs::write(folder.path("run/.thumbnet-abcdef.part"), "left behind").unwrap();
        let mut command = support::command(["train", "--dataset", &data, "--out", &run, "--epochs", "1000000"]);
        let mut child = command.args(SMALL).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.starts_with("Epoch 3/")));
        let sent = Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        lines.for_each(drop);
        assert_eq!(child.wait().unwrap().signal(), Some(number));
        let mut names: Vec<_> = fs::read_dir(&run).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["history.csv", "training.postcard", "weights.postcard"]);
        host_train(["inspect", &run]).success();
    }
}

/// As a shell starts what runs in the background, or `nohup` does.
#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_is_to_be_ignored_is() {
    let folder = Folder::with_stripes();
    let (data, run) = (folder.path("data"), folder.path("run"));
    let program = env!("CARGO_BIN_EXE_host-train");
    let script = format!(
        "trap '' INT; {program} train --dataset {data} --out {run} --epochs 40 {} & \
         until [ -e {run}/weights.postcard ]; do sleep 0.01; done; kill -INT $!; wait $!",
        SMALL.join(" ")
    );
    support::run(Command::new("sh").args(["-c", &script])).success();
    assert_eq!(fs::read_to_string(folder.path("run/history.csv")).unwrap().lines().count(), 1 + 40);
}
