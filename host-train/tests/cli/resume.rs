//! Trainings that are ended from outside, and go on.

use std::{fs, process::Stdio, thread, time::Duration};

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::{
    SMALL,
    own::{Product, network},
    support::{Folder, command, host_train, run as run_command},
};

/// The columns of a history that are no times.
fn reached(folder: &Folder, run: &str) -> Vec<String> {
    let history = fs::read_to_string(folder.path(&format!("{run}/history.csv"))).unwrap();
    history.lines().map(|line| line.split(',').take(5).collect::<Vec<_>>().join(",")).collect()
}

fn arguments<'a>(data: &'a str, run: &'a str) -> Vec<&'a str> {
    let more = ["--epochs", "40", "--optimizer", "adam", "--schedule", "cosine", "--early-stopping", "30"];
    [&["train", "--dataset", data, "--out", run], SMALL.as_slice(), &more].concat()
}

/// Begins a training, called in the folder, in its `run`, and kills it after two epochs.
fn end_after_two_epochs(folder: &Folder, arguments: &[&str]) {
    let mut command = command(arguments);
    let mut child = command.current_dir(folder.path("")).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while fs::read_to_string(folder.path("run/history.csv")).map_or(0, |text| text.lines().count()) < 3 {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself: {arguments:?}");
        thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The same numbers under other names are another set of data.
#[test]
fn a_table_with_its_columns_renamed_is_another() {
    let folder = Folder::with_stripes();
    let [table, run] = ["numbers.csv", "run"].map(|name| folder.path(name));
    let rows: String = (0..40).map(|i| format!("{i},{},{}\n", 40 - i, 2 * i)).collect();
    fs::write(&table, format!("a,b,target\n{rows}")).unwrap();
    let network = network::<Product>(&folder);
    let train = ["train", "--dataset", &table, "--out", &run, "--network", &network, "--batch-size", "4"];
    end_after_two_epochs(&folder, &[&train[..], &["--epochs", "1000"]].concat());
    let page = folder.path("page.html");
    host_train(["report", &run, "--dataset", &table, "--out", &page]).success();
    assert!(fs::read_to_string(page).unwrap().contains("The training is not done: these are its weights after"));
    fs::write(&table, format!("b,a,target\n{rows}")).unwrap();
    let text = host_train(["train", "--resume", &run]).error();
    assert!(text.contains("cannot be resumed: it was begun with another set of training data"), "{text}");
}

/// Wherever it is killed, it goes on, and ends with the weights that it has without interruption.
#[test]
fn killed_at_any_moment_it_goes_on_to_the_same_bits() {
    let folder = Folder::with_stripes();
    let [data, whole, killed] = ["data", "whole", "killed"].map(|name| folder.path(name));
    host_train(arguments(&data, &whole)).success();
    let mut random = Pcg64Mcg::seed_from_u64(9);
    let (mut interrupted, mut begun) = (0, false);
    for _ in 0..400 {
        let arguments = if begun { vec!["train", "--resume", &killed] } else { arguments(&data, &killed) };
        let mut child = command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_micros(random.random_range(0..150_000)));
        child.kill().unwrap();
        let is_done = child.wait().unwrap().success();
        if is_done || interrupted == 20 {
            break;
        }
        begun |= fs::exists(folder.path("killed/training.postcard")).unwrap();
        interrupted += u32::from(begun);
    }
    if fs::exists(folder.path("killed/training.postcard")).unwrap() {
        host_train(["train", "--resume", &killed]).success();
    }
    assert!(interrupted > 0);
    let weights = |run: &str| fs::read(folder.path(&format!("{run}/weights.postcard"))).unwrap();
    assert!(weights("whole") == weights("killed"), "after {interrupted} interruptions");
    assert_eq!(reached(&folder, "whole"), reached(&folder, "killed"));
    let text = host_train(["train", "--resume", &killed]).error();
    assert!(text.contains("this training is done: there is nothing to resume"), "{text}");
}

#[test]
fn what_cannot_be_resumed_says_why() {
    let folder = Folder::with_stripes();
    let [data, run] = ["data", "run"].map(|name| folder.path(name));
    let text = host_train(["train", "--resume", &run]).error();
    assert!(text.contains("there is no training.postcard, so no training to resume"), "{text}");
    let text = host_train(["train", "--resume", &run, "--epochs", "3"]).misuse();
    assert!(text.contains("cannot be used with"), "{text}");

    // One that has got nowhere yet, whose data is another now.
    end_after_two_epochs(&folder, &arguments(&data, &run));
    let training = folder.path("run/training.postcard");
    let bytes = fs::read(&training).unwrap();
    let labels = folder.path("data/train-labels-idx1-ubyte");
    let mut other = fs::read(&labels).unwrap();
    other[8] ^= 1;
    let before = fs::read(&labels).unwrap();
    fs::write(&labels, other).unwrap();
    let text = host_train(["train", "--resume", &run]).error();
    assert!(text.contains("cannot be resumed: it was begun with another set of training data"), "{text}");
    fs::write(&labels, before).unwrap();

    // What is refused takes the place of nothing.
    for wrong in [["--loss", "binary-crossentropy"], ["--monitor", "accuracy"]] {
        let table = folder.path("numbers.csv");
        fs::write(&table, "a,b,target\n1,2,3\n2,3,5\n3,4,7\n4,5,9\n5,6,11\n").unwrap();
        let network = network::<Product>(&folder);
        let train = ["train", "--dataset", &table, "--out", &run, "--network", &network, "--batch-size", "2"];
        host_train([&train[..], &["--early-stopping", "2"], &wrong].concat()).error();
        assert!(fs::read(&training).unwrap() == bytes, "{wrong:?}");
    }

    let mut damaged = bytes;
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(&training, damaged).unwrap();
    let text = host_train(["train", "--resume", &run]).error();
    assert!(text.contains("training.postcard: the training is corrupt"), "{text}");
}

/// What paths named where the training was begun they name wherever it is resumed.
#[test]
fn it_is_resumed_from_any_folder() {
    let folder = Folder::with_stripes();
    network::<Product>(&folder);
    let [table, elsewhere, run] = ["numbers.csv", "elsewhere", "run"].map(|name| folder.path(name));
    let rows: String = (0..40).map(|i| format!("{i},{},{}\n", 40 - i, 2 * i)).collect();
    fs::write(&table, format!("a,b,target\n{rows}")).unwrap();
    fs::create_dir(&elsewhere).unwrap();
    let train = ["train", "--dataset", "numbers.csv", "--network", "own.postcard", "--out", "run"];
    end_after_two_epochs(&folder, &[&train[..], &["--batch-size", "16", "--epochs", "300"]].concat());
    let resume = |more: &[&str]| {
        let arguments = [&["train", "--resume", run.as_str()], more].concat();
        run_command(command(arguments).current_dir(&elsewhere))
    };
    fs::rename(&table, folder.path("other.csv")).unwrap();
    let text = resume(&[]).error();
    assert_eq!(text, format!("error: {run}: its data set is not there any more: move it back to {table} to resume\n"));
    fs::rename(folder.path("other.csv"), &table).unwrap();
    let text = resume(&["--data-dir", "mnist"]).error();
    assert_eq!(text, format!("error: --data-dir is mnist, but the training's data is {table}, not MNIST\n"));
    let text = run_command(command(["train", "--resume", &run]).current_dir(&elsewhere).env("THUMBNET_DATA", "mnist"));
    assert!(text.success().contains("Resumed in epoch "));
}

/// Where all was moved, paths name what is in the folder that the program is called in.
#[test]
fn it_is_resumed_where_all_was_moved() {
    let folder = Folder::with_stripes();
    fs::create_dir(folder.path("moved")).unwrap();
    end_after_two_epochs(&folder, &arguments("data", "run"));
    for name in ["data", "run"] {
        fs::rename(folder.path(name), folder.path(&format!("moved/{name}"))).unwrap();
    }
    let text = run_command(command(["train", "--resume", "run"]).current_dir(folder.path("moved"))).success();
    assert!(text.contains("Resumed in epoch "), "{text}");
}
