//! The program, called as a person calls it, on a data set small enough to train in no time.

mod any;
mod fits;
mod own;
#[cfg(unix)]
mod paths;
mod predict;
#[cfg(unix)]
mod resources;
#[cfg(unix)]
mod resume;
mod support;

use std::fs;

use support::{Folder, Outcome, host_train};
use thumbnet::arch::{Backend, Precision};

const SMALL: [&str; 4] = ["--network", "mnist-small", "--batch-size", "10"];

/// Trains the small network on the drawn stripes in `folder`/data, into `folder`/run.
fn train(folder: &Folder, more: &[&str]) -> Outcome {
    let (data, run) = (folder.path("data"), folder.path("run"));
    let fixed = ["train", "--dataset", data.as_str(), "--out", run.as_str()];
    host_train([&fixed, SMALL.as_slice(), more].concat())
}

#[test]
fn the_whole_path() {
    let folder = Folder::with_stripes();
    let (data, run) = (folder.path("data"), folder.path("run"));
    let trained = train(&folder, &["--epochs", "3", "--optimizer", "adam"]).success();
    let lines: Vec<&str> = trained.lines().collect();
    assert!(
        lines[0].starts_with("MnistSmall: 26,698 parameters; adam, learning rate 0.001, batch size 10"),
        "{trained}"
    );
    assert_eq!(lines[2], "Train on 100 samples, validate on 30 samples");
    assert_eq!(lines[3], "Epoch 1/3");
    assert!(
        lines[4].starts_with("10/10 - ")
            && lines[4].contains(" samples/s - ")
            && lines[4].contains(" - val_accuracy: "),
        "{trained}"
    );
    assert_eq!(lines.last().unwrap(), &format!("Weights and history are in {run}"));

    let history = fs::read_to_string(folder.path("run/history.csv")).unwrap();
    assert_eq!(history.lines().count(), 4);
    assert!(history.starts_with("epoch,loss,accuracy,val_loss,val_accuracy,"), "{history}");

    let f32 = host_train(["evaluate", &run, "--dataset", &data, "--json"]).json();
    assert_eq!((&f32["type"], &f32["images"]), (&"f32".into(), &30.into()));
    assert!(f32["accuracy"].as_f64().unwrap() > 0.9, "{f32}");

    let quantized = host_train(["quantize", &run, "--dataset", &data, "--images", "50", "--json"]).json();
    let blob = folder.path("run/model.blob");
    assert_eq!(quantized["blob"], blob.as_str());
    assert_eq!(quantized["blob_bytes"], fs::metadata(&blob).unwrap().len());
    let int8 = host_train(["evaluate", &blob, "--dataset", &data, "--json"]).json();
    assert_eq!(int8["type"], "int8");
    assert!(int8["accuracy"].as_f64().unwrap() > 0.9, "{int8}");

    // Every back end's outputs, of which this machine's fastest is one.
    let scores = |name: &str, more: &[&str]| {
        let file = folder.path(name);
        let fixed = ["evaluate", blob.as_str(), "--dataset", data.as_str(), "--scores", file.as_str(), "--json"];
        let backend = host_train([&fixed, more].concat()).json()["backend"].clone();
        (backend, fs::read(file).unwrap())
    };
    let (backend, fastest) = scores("fastest", &[]);
    assert_eq!((&backend, fastest.len()), (&int8["backend"], 30 * 10));
    assert_eq!(scores("scalar", &["--backend", "scalar"]), ("scalar".into(), fastest));

    for (file, kind) in [(run.as_str(), "f32"), (&blob, "int8")] {
        let object = host_train(["inspect", file, "--json"]).json();
        assert_eq!((&object["type"], &object["parameters"]), (&kind.into(), &26_698.into()));
        assert_eq!(object["layers"].as_array().unwrap().len(), 7);
        let text = host_train(["inspect", file]).success();
        assert!(text.contains("Total params: 26,698") && text.contains("conv1 (Conv2D)"), "{text}");
    }
}

#[test]
fn evaluations_that_cannot_be_are_refused() {
    let folder = Folder::with_stripes();
    train(&folder, &["--epochs", "1"]).success();
    let (data, run, scores) = (folder.path("data"), folder.path("run"), folder.path("scores"));
    let error =
        |more: &[&str]| host_train([&["evaluate", run.as_str(), "--dataset", data.as_str()], more].concat()).error();
    let none = error(&["--backend", "mmx"]);
    assert!(none.starts_with("error: this machine has no back end `mmx`; it has scalar"), "{none}");
    let weights = error(&["--scores", &scores]);
    assert!(weights.trim_end().ends_with("f32 weights, but int8 scores are of a blob"), "{weights}");
    assert!(fs::exists(scores).is_ok_and(|exists| !exists));
}

#[test]
fn the_same_seed_gives_the_same_weights_on_any_number_of_threads() {
    let weights = |more: &[&str]| {
        let folder = Folder::with_stripes();
        train(&folder, &[&["--epochs", "2"], more].concat()).success();
        fs::read(folder.path("run/weights.postcard")).unwrap()
    };
    let first = weights(&["--seed", "5", "--threads", "1"]);
    assert_eq!(first, weights(&["--seed", "5", "--threads", "3"]));
    assert_ne!(first, weights(&["--seed", "6", "--threads", "1"]));
}

/// Dense layers in bf16 where this CPU has it, an error that says what is missing where it has not.
#[test]
fn precision_is_the_cpus_or_refused() {
    let folder = Folder::with_stripes();
    let (data, run) = (folder.path("data"), folder.path("run"));
    let text = train(&folder, &["--epochs", "1", "--backend", "scalar", "--precision", "bf16"]).error();
    let no_bf16 = |name: &str| {
        format!(
            "error: precision is bf16, but {name} on this CPU has only f32; bf16 takes avx512 on a CPU with \
             AVX512-BF16\n"
        )
    };
    assert_eq!(text, no_bf16("scalar"));
    assert!(fs::exists(&run).is_ok_and(|exists| !exists), "what is refused leaves no folder");

    let text = train(&folder, &["--epochs", "1", "--backend", "avx512-bf16"]).error();
    assert!(text.starts_with("error: this machine has no back end `avx512-bf16`; it has scalar"), "{text}");

    let fastest = Backend::detect();
    if fastest.with_precision(Precision::Bf16).is_none() {
        println!("this CPU has no bf16");
        assert_eq!(train(&folder, &["--epochs", "1", "--precision", "bf16"]).error(), no_bf16(fastest.name()));
        return;
    }
    let weights = |more: &[&str]| {
        let printed = train(&folder, &[&["--epochs", "2"], more].concat()).success();
        (printed.lines().nth(1).unwrap().to_owned(), fs::read(folder.path("run/weights.postcard")).unwrap())
    };
    let f32 = weights(&["--threads", "1", "--precision", "f32"]);
    let bf16 = weights(&["--threads", "1", "--precision", "bf16"]);
    assert_eq!((f32.0.as_str(), bf16.0.as_str()), ("avx512, 1 thread", "avx512-bf16, 1 thread"));
    assert_ne!(f32.1, bf16.1);
    assert_eq!(bf16.1, weights(&["--threads", "3", "--precision", "bf16"]).1);

    let evaluate = |file: &str| host_train(["evaluate", file, "--dataset", &data, "--precision", "bf16", "--json"]);
    let result = evaluate(&run).json();
    assert_eq!((&result["backend"], &result["images"]), (&"avx512-bf16".into(), &30.into()));
    host_train(["quantize", &run, "--dataset", &data, "--images", "50"]).success();
    let text = evaluate(&folder.path("run/model.blob")).error();
    assert!(text.ends_with("model.blob: a blob, but precision bf16 is of f32 weights\n"), "{text}");
}

#[test]
fn json_is_one_object_a_line() {
    let folder = Folder::with_stripes();
    let output = train(&folder, &["--epochs", "2", "--json"]).success();
    let objects: Vec<serde_json::Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events: Vec<_> = objects.iter().map(|object| object["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["epoch", "epoch", "result"]);
    assert_eq!(objects[2]["val_accuracy"], objects[1]["val_accuracy"]);
    assert_eq!(objects[2]["weights"], folder.path("run/weights.postcard").as_str());
}

#[test]
fn runs_get_folders_of_their_own() {
    let folder = Folder::with_stripes();
    let data = folder.path("data");
    for number in 1..=2 {
        let arguments = ["train", "--dataset", &data, "--epochs", "1", "--json"];
        let output = support::host_train_in(&folder, [&arguments, SMALL.as_slice()].concat()).success();
        let result: serde_json::Value = serde_json::from_str(output.lines().last().unwrap()).unwrap();
        let weights = format!("runs/mnist-small-{number}/weights.postcard");
        assert_eq!(result["weights"], weights.as_str());
        assert!(fs::exists(folder.path(&weights)).unwrap());
    }
}

#[test]
fn weights_travel_through_safetensors() {
    let folder = Folder::with_stripes();
    train(&folder, &["--epochs", "1"]).success();
    let weights = fs::read(folder.path("run/weights.postcard")).unwrap();
    for names in ["own", "keras"] {
        let (file, back) = (folder.path(&format!("{names}.safetensors")), folder.path(&format!("{names}.postcard")));
        host_train(["export", &folder.path("run"), "--names", names, "--out", &file]).success();
        let object = host_train(["import", &file, "--network", "mnist-small", "--json"]).json();
        assert_eq!(object["weights"], back.as_str());
        assert_eq!(fs::read(back).unwrap(), weights);
    }
    let text = host_train(["import", &folder.path("own.safetensors"), "--network", "mnist-convnet"]).error();
    assert!(text.contains("tensor `dense3.kernel` is missing (f32, shape [256, 10])"), "{text}");
}

#[test]
fn what_is_read_is_never_overwritten() {
    let folder = Folder::with_stripes();
    train(&folder, &["--epochs", "1"]).success();
    let (run, data) = (folder.path("run"), folder.path("data"));
    let [weights, blob] = ["weights.postcard", "model.blob"].map(|name| folder.path(&format!("run/{name}")));
    host_train(["quantize", &run, "--dataset", &data, "--images", "20"]).success();
    let (dotted, new) = (folder.path("run/./weights.postcard"), folder.path("new"));
    let bytes = || [&weights, &blob].map(|file| fs::read(file).unwrap());
    let before = bytes();
    for arguments in [
        &["quantize", run.as_str(), "--dataset", &data, "--images", "20", "--out", &weights][..],
        &["export", &run, "--out", &dotted],
        &["import", &weights, "--network", "mnist-small"],
        &["evaluate", &blob, "--dataset", &data, "--scores", &blob],
        &["sample", &blob, "--dataset", &data, "--images", "1", "--out", &blob, "--scores", &new],
        &["sample", &blob, "--dataset", &data, "--images", "1", "--out", &new, "--scores", &new],
    ] {
        let text = host_train(arguments).error();
        assert!(text.contains("one file cannot be read and written, or written twice"), "{arguments:?}: {text}");
    }
    assert!(bytes() == before && !fs::exists(&new).unwrap());

    // Nor is data, of which models are made.
    let labels = folder.path("data/train-labels-idx1-ubyte");
    let data_before = fs::read(&labels).unwrap();
    for arguments in [
        &["quantize", run.as_str(), "--dataset", &data, "--out", &labels][..],
        &["evaluate", &blob, "--dataset", &data, "--scores", &labels],
        &["report", &run, "--dataset", &data, "--out", &labels],
        &["sample", &blob, "--dataset", &data, "--images", "1", "--out", &labels, "--scores", &new],
        &["sample", &blob, "--dataset", &data, "--images", "1", "--out", &new, "--scores", &labels],
    ] {
        let text = host_train(arguments).error();
        assert!(text.contains("part of the data set, which would be lost"), "{arguments:?}: {text}");
    }
    assert!(fs::read(labels).unwrap() == data_before && !fs::exists(new).unwrap());
}

/// Nor is what a training left, though the command does not read it.
#[test]
fn what_a_run_consists_of_is_never_overwritten() {
    let folder = Folder::with_stripes();
    train(&folder, &["--epochs", "1", "--keep-best"]).success();
    let (run, data) = (folder.path("run"), folder.path("data"));
    let [blob, new, tensors] = ["model.blob", "new", "own.safetensors"].map(|name| folder.path(name));
    host_train(["quantize", &run, "--dataset", &data, "--images", "20", "--out", &blob]).success();
    host_train(["export", &run, "--out", &tensors]).success();
    let [weights, history, best] =
        ["weights.postcard", "history.csv", "best.postcard"].map(|name| folder.path(&format!("run/{name}")));
    let training = folder.path("run/training.postcard");
    let before = [&weights, &history, &best].map(|file| fs::read(file).unwrap());
    let best_weights = "the best epoch's weights";
    for (arguments, out, what) in [
        (&["quantize", &run, "--dataset", &data, "--images", "20", "--out"][..], &history, "the history"),
        (&["report", &run, "--dataset", &data, "--out"], &best, best_weights),
        (&["export", &run, "--out"], &history, "the history"),
        (&["import", &tensors, "--network", "mnist-small", "--out"], &weights, "the weights"),
        (&["evaluate", &blob, "--dataset", &data, "--scores"], &history, "the history"),
        (&["sample", &blob, "--dataset", &data, "--scores", &new, "--out"], &weights, "the weights"),
        (&["sample", &blob, "--dataset", &data, "--out", &new, "--scores"], &best, best_weights),
        (&["export", &run, "--out"], &folder.path("run/../run/history.csv"), "the history"),
    ] {
        let text = host_train([arguments, &[out.as_str()]].concat()).error();
        let expected = format!("error: {out}: {what} of a training, which would be lost: choose another file\n");
        assert_eq!(text, expected, "{arguments:?}");
    }
    fs::write(&training, b"a training that is not done").unwrap();
    let text = host_train(["quantize", &run, "--dataset", &data, "--images", "20", "--out", &training]).error();
    assert!(text.contains("training.postcard: the state of a training"), "{text}");
    // Before its first epoch ends, a training has nothing else.
    let begun = folder.path("begun/training.postcard");
    fs::create_dir(folder.path("begun")).unwrap();
    fs::write(&begun, b"a training that is not done").unwrap();
    let text = host_train(["export", &run, "--out", &begun]).error();
    assert!(text.contains("begun/training.postcard: the state of a training"), "{text}");
    assert!(before == [&weights, &history, &best].map(|file| fs::read(file).unwrap()) && !fs::exists(&new).unwrap());

    // Weights that lie by themselves are no run's, but those that an import is told its network by are read.
    let alone = folder.path("alone/weights.postcard");
    let import = ["import", &tensors, "--out", &alone, "--network"];
    host_train([&import[..], &["mnist-small"]].concat()).success();
    host_train([&import[..], &["mnist-small"]].concat()).success();
    let text = host_train([&import[..], &[&alone]].concat()).error();
    assert!(text.contains("alone/weights.postcard: one file cannot be read and written"), "{text}");
}

/// The labels that are read beside an array are part of the data set, too.
#[test]
fn labels_beside_an_array_are_never_overwritten() {
    let folder = Folder::with_stripes();
    train(&folder, &["--epochs", "1"]).success();
    let [run, x, y] = ["run", "x_all.npy", "y_all.npy"].map(|name| folder.path(name));
    fs::write(&x, "samples").unwrap();
    fs::write(&y, "labels").unwrap();
    let text = host_train(["quantize", &run, "--dataset", &x, "--out", &y]).error();
    assert_eq!(text, format!("error: {y}: part of the data set, which would be lost: choose another\n"));
    let mnist = folder.path("data/t10k-labels-idx1-ubyte");
    let text = host_train(["quantize", &run, "--data-dir", &folder.path("data"), "--out", &mnist]).error();
    assert_eq!(text, format!("error: {mnist}: part of the data set, which would be lost: choose another\n"));
}

#[test]
fn a_damaged_history_is_named() {
    let folder = Folder::with_stripes();
    train(&folder, &["--epochs", "1"]).success();
    let [run, data, history] = ["run", "data", "run/history.csv"].map(|name| folder.path(name));
    fs::write(&history, b"thumbnet\x03\0raw,bytes\nof,a,blob").unwrap();
    let text = host_train(["report", &run, "--dataset", &data]).error();
    let expected =
        "the history is damaged: line 1 is not as `train` writes it; without the file, a report has no curves";
    assert_eq!(text, format!("error: {history}: {expected}\n"));
}

#[cfg(target_os = "linux")]
#[test]
fn files_without_end_and_memory_that_is_not_there_are_errors() {
    let text = host_train(["inspect", "/dev/zero"]).error();
    assert_eq!(text, "error: /dev/zero: more than 268435456 bytes, and no network has so many\n");

    let folder = Folder::with_stripes();
    let (data, run) = (folder.path("data"), folder.path("run"));
    let limited = |kibibytes: usize, arguments: &str| {
        let line =
            format!("ulimit -v {kibibytes} && exec {} --threads 1 {arguments}", env!("CARGO_BIN_EXE_host-train"));
        let mut command = std::process::Command::new("sh");
        // A backtrace takes memory too.
        let output = command.args(["-c", &line]).env("RUST_BACKTRACE", "0").output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    // The batch does not fit; nor do the arrays with which the memory is measured.
    for (kibibytes, batch) in [(700_000, 4096), (200_000, 1)] {
        let (status, text) = limited(kibibytes, &format!("profile --batch-size {batch}"));
        let expected = format!("error: profiling with batch size {batch}: there is no memory for ");
        assert!(status == Some(1) && text.starts_with(&expected) && text.lines().count() == 1, "{text}");
    }
    // How much the program takes by itself is the system's matter; a batch takes 40 MB more.
    let train = format!("train --dataset {data} --out {run} --batch-size 100 --epochs 1");
    let refused = (40_000..400_000).step_by(16_000).any(|kibibytes| {
        let (status, text) = limited(kibibytes, &train);
        assert_ne!(status, Some(0), "the batch fits {kibibytes} KiB, and was refused nowhere below");
        status == Some(1) && text.starts_with("error: batch size is 100, but there is no memory for ")
    });
    assert!(refused && !fs::exists(folder.path("run/weights.postcard")).unwrap());
}

#[test]
fn settings_out_of_range_are_one_line() {
    let folder = Folder::with_stripes();
    for (arguments, expected) in [
        (
            ["--network", "resnet"],
            "unknown network `resnet`; known are mnist-convnet, mnist-small, mnist-tiny, mnist-resnet, resnet8, \
             ds-cnn, mobilenet-v1, auto-encoder, and those of files",
        ),
        (["--warmup", "0.1"], "warmup is 0.1, but schedule is constant: ask for --schedule cosine"),
        (["--batch-size", "101"], "batch size is 101, but must be in 1..=100, the number of training samples"),
    ] {
        let (data, run) = (folder.path("data"), folder.path("refused"));
        let fixed = ["train", "--dataset", data.as_str(), "--out", run.as_str()];
        let rest: &[&str] = if arguments[0] == "--network" { &[] } else { &["--network", "mnist-small"] };
        let text = host_train([&fixed, arguments.as_slice(), rest].concat()).error();
        assert_eq!(text, format!("error: {expected}\n"));
        assert!(!fs::exists(run).unwrap(), "{arguments:?}: a refused training leaves no folder");
    }
}

/// Of the files that a training writes, none may be what it reads.
#[test]
fn a_training_replaces_nothing_that_it_reads() {
    let folder = Folder::with_stripes();
    let network = own::network::<own::Product>(&folder);
    let [run, table, weights] = ["run", "run/history.csv", "run/weights.postcard"].map(|name| folder.path(name));
    fs::create_dir(&run).unwrap();
    let rows: String = (0..40).map(|i| format!("{i},{},{}\n", 40 - i, 2 * i)).collect();
    fs::write(&table, &rows).unwrap();
    let other = folder.path("rows.csv");
    fs::write(&other, &rows).unwrap();
    fs::copy(&network, &weights).unwrap();
    for (network, table, same) in [(&network, &table, &table), (&weights, &other, &weights)] {
        let before = fs::read(same).unwrap();
        let train = ["train", "--network", network, "--dataset", table, "--out", &run, "--batch-size", "4"];
        let text = host_train(train).error();
        assert_eq!(
            text,
            format!("error: {same}: one file cannot be read and written, or written twice: choose another\n")
        );
        assert_eq!(fs::read(same).unwrap(), before);
    }
}

/// What does not fit an argument is refused as it was typed, with what is allowed.
#[test]
fn values_that_are_none_are_one_line() {
    let learning_rate = "for '--learning-rate <RATE>': must be a number from 1e-38 to 1e38";
    let percentile = "for '--percentile <PERCENT>': must be above 50 and at most 100";
    let warmup = "for '--warmup <SHARE>': must be at least 0 and below 1";
    let threads = "for '--threads <N>': must be a whole number from 1 to 1024, here as in RAYON_NUM_THREADS";
    for (arguments, allowed) in [
        (["train", "--learning-rate"], learning_rate),
        (["quantize", "--percentile"], percentile),
        (["train", "--threads"], threads),
    ] {
        for value in ["0", "NaN", "-0.5", "inf", "1e300", "1e-300", "1e400", "many", ""] {
            let text = host_train([&arguments[..], &[value]].concat()).misuse();
            assert!(text.starts_with(&format!("error: invalid value '{value}' {allowed}; ")), "{text}");
        }
    }
    for value in ["1", "1.5", "NaN", "-0.5", "inf", "many", ""] {
        let text = host_train(["train", "--schedule", "cosine", "--warmup", value]).misuse();
        assert!(text.starts_with(&format!("error: invalid value '{value}' {warmup}; ")), "{text}");
    }
    let split = "for '--validation-split <SHARE>': must be above 0 and below 1";
    for value in ["0", "1", "1.5", "NaN", "-0.5", "inf", "many", ""] {
        let text = host_train(["evaluate", "none", "--validation-split", value]).misuse();
        assert!(text.starts_with(&format!("error: invalid value '{value}' {split}; ")), "{text}");
    }
    for value in ["0", "abc", "1025", "99999999999999999999"] {
        let text = support::run(support::command(["inspect", "no-such-file"]).env("RAYON_NUM_THREADS", value)).misuse();
        assert!(text.starts_with(&format!("error: invalid value '{value}' {threads}; ")), "{text}");
    }
}

#[test]
fn a_schedule_is_told_and_followed() {
    let folder = Folder::with_stripes();
    let weights = |schedule: &[&str], told: &str| {
        let fixed = ["--epochs", "1", "--optimizer", "sgd", "--learning-rate", "0.1"];
        let text = train(&folder, &[&fixed, schedule].concat()).success();
        assert!(text.contains(&format!("sgd, learning rate 0.1{told}, batch size 10")), "{text}");
        fs::read(folder.path("run/weights.postcard")).unwrap()
    };
    let constant = weights(&[], "");
    let usual = weights(&["--schedule", "cosine"], " (cosine, warm-up 0.05)");
    let long = weights(&["--schedule", "cosine", "--warmup", "0.5"], " (cosine, warm-up 0.5)");
    assert!(usual != long && usual != constant && long != constant);
}

#[test]
fn divergence_is_an_error() {
    let folder = Folder::with_stripes();
    let text = train(&folder, &["--optimizer", "sgd", "--learning-rate", "1e30"]).error();
    assert!(text.contains("training diverged; try a smaller learning rate"), "{text}");
    assert!(!fs::exists(folder.path("run/weights.postcard")).unwrap());
}

/// One line, with the status of a command that is none, and with what clap thinks was meant.
#[test]
fn arguments_that_make_no_command_are_one_line() {
    for (arguments, expected) in [
        (&["fly"][..], "unrecognized subcommand 'fly'"),
        (&["train", "--optimizer", "lion"], "'--optimizer <OPTIMIZER>' [possible values: adadelta, sgd, adam]; "),
        (
            &["train", "--monitor", "loss"],
            "<--early-stopping <EPOCHS>|--reduce-lr <EPOCHS>|--keep-best>; `--help` says more",
        ),
        (&["evaluate"], "the following required arguments were not provided: <FILE>; `--help` says more"),
        (&["train", "--epochs", "many"], "must be a whole number from 1 to "),
        (&["train", "--epochs", "-1"], "invalid value '-1' for '--epochs <N>': must be a whole number from 1 to "),
        (
            &["train", "--batch-size", "0"],
            "invalid value '0' for '--batch-size <N>': must be a whole number from 1 to ",
        ),
        (&["train", "--epoch", "1"], "unexpected argument '--epoch' found; a similar argument exists: '--epochs'; "),
        (&["train", "--epochs"], "a value is required for '--epochs <N>' but none was supplied; "),
    ] {
        let text = host_train(arguments).misuse();
        assert!(text.contains(expected), "{arguments:?}: {text}");
    }
    assert!(host_train(["--help"]).success().lines().count() > 10);
    let help = host_train(["train", "--help"]).success();
    assert!(help.contains("in place of those of an earlier training there"), "{help}");
    assert_eq!(host_train([""; 0]).status, Some(2));
}

#[test]
fn a_broken_data_set_names_its_file() {
    let folder = Folder::with_stripes();
    let images = folder.path("data/train-images-idx3-ubyte");
    let whole = fs::read(&images).unwrap();
    let mut magic = whole.clone();
    magic[2] = 7;
    let mut none = whole[..16].to_vec();
    none[4..8].fill(0);
    let narrow = [&[0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2][..], &[0; 4]].concat();
    for (bytes, expected) in [
        (&whole[..whole.len() - 1], "truncated: it ends after 78415 bytes, its header announces 78416"),
        (&whole[..3], "truncated: it ends after 3 bytes"),
        (&magic, "wrong magic number 0x00000703, must be 0x0000TTNN"),
        (&none, "empty: its dimensions are [0, 28, 28]"),
        (&narrow, "samples of 2 x 2 values, the network takes (28, 28, 1)"),
        (&[whole.as_slice(), &[0]].concat(), "trailing bytes"),
    ] {
        fs::write(&images, bytes).unwrap();
        let text = train(&folder, &[]).error();
        assert!(text.starts_with(&format!("error: {images}: {expected}")), "{text}");
    }
    fs::write(&images, &whole).unwrap();
    fs::copy(folder.path("data/t10k-labels-idx1-ubyte"), folder.path("data/train-labels-idx1-ubyte")).unwrap();
    let text = train(&folder, &[]).error();
    assert!(text.contains("train-labels-idx1-ubyte: 30 labels for 100 samples of"), "{text}");

    fs::remove_file(&images).unwrap();
    let text = train(&folder, &[]).error();
    assert!(text.contains("no file train-images-idx3-ubyte"), "{text}");
}

#[test]
fn broken_files_name_themselves() {
    let folder = Folder::with_stripes();
    train(&folder, &["--epochs", "1"]).success();
    let (run, data) = (folder.path("run"), folder.path("data"));
    host_train(["quantize", &run, "--dataset", &data, "--images", "20"]).success();
    for (file, part) in [("run/weights.postcard", "checkpoint"), ("run/model.blob", "blob")] {
        let whole = fs::read(folder.path(file)).unwrap();
        let bad = folder.path("bad");
        let mut changed = whole.clone();
        *changed.last_mut().unwrap() ^= 1;
        let mut version = whole.clone();
        version[8] = 99;
        for (bytes, expected) in [
            (&whole[..whole.len() / 2], "truncated"),
            (&whole[..12], "truncated"),
            (&changed, "corrupt"),
            (&version, "format version 99"),
        ] {
            fs::write(&bad, bytes).unwrap();
            for arguments in [vec!["inspect", &bad], vec!["evaluate", &bad, "--dataset", &data]] {
                let text = host_train(arguments).error();
                assert!(text.starts_with(&format!("error: {bad}: ")), "{text}");
                assert!(text.contains(part) && text.contains(expected), "{text}");
            }
        }
    }
    for (bytes, expected) in [(&b""[..], "it is empty"), (b"\x89PNG\r\n\x1a\n", "it begins with 89504e470d0a1a0a")] {
        let other = folder.path("other");
        fs::write(&other, bytes).unwrap();
        let text = host_train(["inspect", &other]).error();
        assert!(text.contains(expected), "{text}");
    }
    let text = host_train(["quantize", &folder.path("run/model.blob"), "--dataset", &data]).error();
    assert!(text.contains("a blob, but f32 weights are needed"), "{text}");
    let text = host_train(["quantize", &run, "--dataset", &data, "--images", "500"]).error();
    assert!(text.contains("500 images to calibrate with, but must be in 1..=100"), "{text}");
    // Where nobody says how many, it is as many as there are.
    let result = host_train(["quantize", &run, "--dataset", &data, "--json"]).json();
    assert_eq!(result["images"], 100);
    let percentile = ["quantize", &run, "--dataset", &data, "--percentile", "99"];
    assert!(host_train(percentile).error().contains("percentile is 99, but calibration is min-max"));
    assert!(host_train(["inspect", "no-such-file"]).error().starts_with("error: no-such-file: "));
}

#[test]
fn an_unwritable_folder_is_an_error_before_training() {
    let folder = Folder::with_stripes();
    fs::write(folder.path("run"), "a file in the way").unwrap();
    let text = train(&folder, &[]).error();
    assert!(text.starts_with(&format!("error: cannot make folder {}", folder.path("run"))), "{text}");
}

#[test]
fn a_foreign_file_in_mnists_folder_is_kept() {
    let folder = Folder::with_stripes();
    let data = folder.path("data");
    let before = fs::read(folder.path("data/t10k-labels-idx1-ubyte")).unwrap();
    let text = host_train(["train", "--data-dir", &data]).error();
    assert!(text.contains("train-images-idx3-ubyte: not MNIST's file: its SHA-256 is "), "{text}");
    assert_eq!(fs::read(folder.path("data/t10k-labels-idx1-ubyte")).unwrap(), before);
}

/// What an earlier training left stays until a new one has something to put in its place.
#[test]
fn a_failed_training_leaves_the_earlier_ones_files() {
    let folder = Folder::with_stripes();
    train(&folder, &["--epochs", "1"]).success();
    let files = ["history.csv", "weights.postcard"].map(|name| folder.path("run").to_owned() + "/" + name);
    let before = files.each_ref().map(|file| fs::read(file).unwrap());
    train(&folder, &["--optimizer", "sgd", "--learning-rate", "1e30"]).error();
    assert!(before == files.each_ref().map(|file| fs::read(file).unwrap()));
}
