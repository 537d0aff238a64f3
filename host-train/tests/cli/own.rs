//! Own networks on own data: tables, pictures, numbers to estimate.

use std::fs;

use host_train::{
    checkpoint,
    model::{About, Model},
};
use thumbnet::Network;

use crate::support::{Folder, host_train, host_train_in};

thumbnet::sequential! {
    /// Four time steps of two channels.
    struct Movement: [4, 2] {
        conv: Conv1D { filters: 8, kernel_size: 2, activation: Relu },
        pool: GlobalAveragePooling1D,
        scores: Dense { units: 2, activation: Softmax },
    }
}

thumbnet::sequential! {
    /// Two numbers in, one out.
    pub(crate) struct Product: [2] {
        hidden1: Dense { units: 16, activation: Relu },
        hidden2: Dense { units: 16, activation: Relu },
        product: Dense { units: 1 },
    }
}

/// A network that was trained on numbers has no names: which of them a data set's are is told, not guessed in silence.
#[test]
fn the_order_of_names_is_told() {
    let folder = Folder::with_stripes();
    let (network, table) = (network::<Movement>(&folder), folder.path("moves.csv"));
    fs::write(&table, movements()).unwrap();
    for more in [&["--all"][..], &[]] {
        let evaluate = ["evaluate", network.as_str(), "--dataset", &table, "--target", "activity"];
        let outcome = host_train([evaluate.as_slice(), more].concat());
        let order = "the network has no names of classes, so their order is taken: `fast` is 0, `slow` is 1";
        assert_eq!((outcome.status, outcome.stderr.lines().last()), (Some(0), Some(order)));
    }
}

/// The file of a network's initial weights, which `--network` takes.
pub(crate) fn network<N: Network>(folder: &Folder) -> String {
    let file = folder.path("own.postcard");
    fs::write(&file, checkpoint::write(&N::GRAPH, &About::default(), Model::new(N::GRAPH, 1).weights())).unwrap();
    file
}

/// Rows of movements that are fast or slow, of values far from 0.
fn movements() -> String {
    let mut table = String::from("recording,x,y,activity\n");
    for recording in 0..20 {
        for row in 0..20 {
            let (name, rate) = if recording % 2 == 0 { ("slow", 0.1) } else { ("fast", 1.5) };
            let phase = f64::from(recording) + f64::from(row) * rate;
            table += &format!("{recording},{:.3},{:.3},{name}\n", 1000.0 + 50.0 * phase.sin(), phase.cos());
        }
    }
    table
}

#[test]
fn a_table_of_windows_goes_the_whole_path() {
    let folder = Folder::with_stripes();
    let (network, table, run) = (network::<Movement>(&folder), folder.path("moves.csv"), folder.path("run"));
    fs::write(&table, movements()).unwrap();
    let data = ["--dataset", table.as_str(), "--target", "activity"];
    let train = ["train", "--network", &network, "--out", &run, "--batch-size", "8", "--optimizer", "adam"];
    let more = ["--learning-rate", "0.02", "--epochs", "60", "--early-stopping", "20", "--monitor", "accuracy"];
    host_train([train.as_slice(), &more, &data].concat()).success();

    let f32 = host_train([&["evaluate", run.as_str(), "--json"], data.as_slice()].concat()).json();
    assert_eq!(f32["images"], 20, "a fifth of 100 windows");
    assert!(f32["accuracy"].as_f64().unwrap() >= 0.95, "{f32}");
    let blob = folder.path("own.blob");
    host_train([&["quantize", run.as_str(), "--out", &blob, "--json"], data.as_slice()].concat()).json();
    let int8 = host_train([&["evaluate", blob.as_str(), "--json"], data.as_slice()].concat()).json();
    assert!(int8["accuracy"].as_f64().unwrap() >= 0.95, "{int8}");

    // Weights and blob know the names of their columns, wherever these stand.
    let turned: String =
        movements().lines().map(|line| line.rsplit(',').collect::<Vec<_>>().join(",") + "\n").collect();
    let other = folder.path("turned.csv");
    fs::write(&other, turned).unwrap();
    for (file, expected) in [(&run, &f32), (&blob, &int8)] {
        let judged = host_train(["evaluate", file.as_str(), "--json", "--dataset", &other]).json();
        assert_eq!(judged["accuracy"], expected["accuracy"]);
    }
    let text = host_train(["evaluate", run.as_str()]).error();
    assert!(text.contains("Movement was not trained on MNIST: name its data set with --dataset"), "{text}");

    for model in [&run, &blob] {
        let predict = ["predict", other.as_str(), "--model", model];
        let text = host_train(predict).success();
        assert_eq!(text.lines().count(), 400 / 4);
        let named = text.lines().filter(|line| line.contains(": slow (") || line.contains(": fast (")).count();
        assert_eq!(named, 100, "{text}");
    }

    let [inputs, scores] = ["inputs", "scores"].map(|name| folder.path(name));
    let sample = ["sample", blob.as_str(), "--out", &inputs, "--scores", &scores, "--images", "7"];
    let text = host_train([&sample, data.as_slice()].concat()).error();
    assert!(text.contains("raw values are no bytes: ask for --int8"), "{text}");
    host_train([sample.as_slice(), &["--int8"], &data].concat()).success();
    let len = |file| fs::metadata(file).unwrap().len();
    assert_eq!((len(&inputs), len(&scores)), (7 * 8, 7 * 2));

    let page = folder.path("page.html");
    host_train([&["report", run.as_str(), "--out", &page, "--blob", &blob], data.as_slice()].concat()).success();
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("<h2>Memory plan</h2>") && page.contains("slow") && page.contains("<h2>Training</h2>"));
    assert!(!page.contains("The training is not done"));

    // All samples, or a fifth of them.
    let all = host_train(["evaluate", blob.as_str(), "--json", "--all", "--dataset", &other]).json();
    assert_eq!(all["images"], 100);
    let halves = folder.path("halves");
    fs::create_dir(&halves).unwrap();
    for half in ["train", "test"] {
        fs::copy(&table, format!("{halves}/{half}.csv")).unwrap();
    }
    let text = host_train(["evaluate", blob.as_str(), "--all", "--dataset", &halves]).error();
    assert!(text.contains("it has a test half of its own: by this it is judged without --all"), "{text}");
}

#[test]
fn an_array_lies_in_the_folder_it_is_called_in() {
    let folder = Folder::with_stripes();
    let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 28, 28)}\n";
    let length = (header.len() as u16).to_le_bytes();
    let array = [b"\x93NUMPY\x01\0", &length[..], header.as_bytes(), &[0; 28 * 28]].concat();
    fs::write(folder.path("x.npy"), array).unwrap();
    let text = host_train_in(&folder, ["train", "--network", "mnist-small", "--dataset", "x.npy"]).error();
    assert_eq!(text, "error: .: no file y.npy in this folder\n");
}

#[test]
fn numbers_are_estimated() {
    let folder = Folder::with_stripes();
    let (network, table, run) = (network::<Product>(&folder), folder.path("products.csv"), folder.path("run"));
    let row = |i: u32| (f64::from(i % 21) / 10.0 - 1.0, f64::from(i % 19) / 9.0 - 1.0);
    let rows: String = (0..399).map(row).map(|(a, b)| format!("{a},{b},{}\n", a * b)).collect();
    fs::write(&table, rows).unwrap();
    let data = ["--dataset", table.as_str(), "--json"];
    let train = ["train", "--network", &network, "--out", &run, "--batch-size", "16", "--optimizer", "adam"];
    host_train([train.as_slice(), &["--learning-rate", "0.01", "--epochs", "100", "--keep-best"], &data].concat())
        .success();
    let best = folder.path("run/best.postcard");
    let blob = folder.path("own.blob");
    host_train([&["quantize", best.as_str(), "--out", &blob], data.as_slice()].concat()).json();
    for file in [&run, &best, &blob] {
        let judged = host_train([&["evaluate", file.as_str()], data.as_slice()].concat()).json();
        assert_eq!(judged["accuracy"], serde_json::Value::Null);
        assert!(judged["loss"].as_f64().unwrap() < 0.01, "{judged}");
        assert!(judged["mean_absolute_error"].as_f64().unwrap() < 0.08, "{judged}");
    }
}

/// Data that no network computes with is to blame itself, where it stands, and not the weights that meet it.
#[test]
fn numbers_that_are_too_large_are_named() {
    let folder = Folder::with_stripes();
    let (network, run) = (network::<Product>(&folder), folder.path("run"));
    let [good, large, wanted, spoilt] =
        ["good.csv", "large.csv", "wanted.csv", "spoilt.csv"].map(|name| folder.path(name));
    let rows = |first: &str, last: &str| -> String {
        let row = |i: u32| format!("{}.5,0.{},{}\n", i % 7, i % 5, (i % 7) * (i % 5));
        format!("a,b,target\n{}1,{first},2\n{}1,2,{last}\n", (0..20).map(row).collect::<String>(), row(3))
    };
    for (path, first, last) in [(&good, "2", "2"), (&large, "-3e38", "2"), (&wanted, "2", "1e38")] {
        fs::write(path, rows(first, last)).unwrap();
    }
    let train = ["train", "--network", &network, "--out", &run, "--batch-size", "4", "--epochs", "1", "--dataset"];
    host_train([&train[..], &[&good]].concat()).success();
    let too_large = |path: &str, line: usize, column: &str, value: &str| {
        format!(
            "error: {path}: line {line}, column `{column}`: {value} is too large to compute with beside the others: \
             correct it, or leave out the sample\n"
        )
    };
    for model in [&run, &folder.path("run/model.blob")] {
        let evaluate = ["evaluate", model, "--all", "--dataset"];
        assert_eq!(host_train([&evaluate[..], &[&wanted]].concat()).error(), too_large(&wanted, 24, "target", "1e38"));
        if *model == run {
            let text = host_train([&evaluate[..], &[&large]].concat()).error();
            assert_eq!(text, too_large(&large, 22, "b", "-3e38"));
            fs::write(&spoilt, rows("2", "2").replace(".5,", ".5e38,")).unwrap();
            let text = host_train(["quantize", model, "--dataset", &spoilt]).error();
            assert!(text.contains("spoilt.csv: line ") && text.contains(", column `a`: "), "{text}");
            host_train(["quantize", model, "--dataset", &good]).success();
        }
    }
    let text = host_train([&train[..], &[&wanted]].concat()).error();
    assert_eq!(text, too_large(&wanted, 24, "target", "1e38"));
    let text = host_train(["predict", &large, "--model", &run]).error();
    assert!(text.contains("large.csv, sample 21: value 1: -3e38 is too large to compute with"), "{text}");
}
