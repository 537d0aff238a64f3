//! Networks that the program has never heard of: their graph is in the file.

use std::fs;

use host_train::{
    checkpoint,
    model::{About, Model},
};
use thumbnet::{
    Network,
    graph::Graph,
    input::{Scaling, Shows},
};

use crate::support::{Folder, digits, host_train};

thumbnet::sequential! {
    struct Branches: [28, 28, 1] {
        stem: Conv2D { filters: 4, kernel_size: 3, strides: 2, padding: Same, activation: Relu },
        a1: Conv2D { filters: 4, kernel_size: 3, padding: Same, activation: Relu },
        a2: Conv2D { filters: 4, kernel_size: 3, padding: Same },
        a: Add(stem, a2) { activation: Relu },
        pool: MaxPooling2D,
        flatten: Flatten,
        scores: Dense { units: 5, activation: Softmax },
    }
}

thumbnet::sequential! {
    /// Takes colours, where the data sets at hand are grey.
    struct Colours: [8, 8, 3] {
        conv: Conv2D { filters: 2, kernel_size: 3 },
        flatten: Flatten,
        scores: Dense { units: 2, activation: Softmax },
    }
}

/// Of digits, whose bytes are 0 to 1.
fn unit() -> About {
    About { scaling: vec![Scaling::UNIT], shows: Shows::Digits, ..About::default() }
}

/// A folder with data and the initial weights of a network.
fn folder<N: Network>() -> (Folder, String) {
    let folder = Folder::with_stripes();
    let file = folder.path("own.postcard");
    fs::write(&file, checkpoint::write(&N::GRAPH, &unit(), Model::new(N::GRAPH, 2).weights())).unwrap();
    (folder, file)
}

#[test]
fn every_command_opens_an_own_network() {
    let (folder, file) = folder::<Branches>();
    let [data, run, blob, tensors] = ["data", "run", "own.blob", "own.safetensors"].map(|name| folder.path(name));
    let train = ["train", "--network", &file, "--dataset", &data, "--out", &run, "--batch-size", "10", "--json"];
    let trained = host_train([&train, ["--epochs", "8", "--optimizer", "adam"].as_slice()].concat()).success();
    assert!(trained.lines().last().unwrap().contains(r#""network":"Branches""#), "{trained}");

    let f32 = host_train(["evaluate", &run, "--dataset", &data, "--json"]).json();
    assert_eq!(f32["network"], "Branches");
    assert!(f32["accuracy"].as_f64().unwrap() > 0.9, "{f32}");
    let quantize = ["quantize", &run, "--dataset", &data, "--images", "50", "--out", &blob, "--json"];
    assert_eq!(host_train(quantize).json()["activation_bytes"], 3 * 14 * 14 * 4);
    for family in ["plain", "dsp"] {
        host_train([quantize.as_slice(), &["--family", family]].concat()).json();
        let int8 = host_train(["evaluate", &blob, "--dataset", &data, "--json"]).json();
        assert!(int8["accuracy"].as_f64().unwrap() > 0.9, "{int8}");
        let inspected = host_train(["inspect", &blob, "--json"]).json();
        let layers: Vec<_> = inspected["layers"].as_array().unwrap().iter().map(|layer| &layer["name"]).collect();
        assert_eq!(layers, ["stem", "a1", "a2", "a", "pool", "flatten", "scores"]);
        assert_eq!(inspected["activation_bytes"], inspected["activation_bound"]);
    }
    let (images, scores) = (folder.path("images"), folder.path("scores"));
    host_train(["sample", &blob, "--dataset", &data, "--images", "3", "--out", &images, "--scores", &scores]).success();
    assert_eq!(fs::read(&scores).unwrap().len(), 3 * 5);
    // A hundred, or what there is.
    host_train(["sample", &blob, "--dataset", &data, "--out", &images, "--scores", &scores]).success();
    assert_eq!(fs::read(&scores).unwrap().len(), 30 * 5);
    let profile = host_train(["profile", "--network", &blob, "--batch-size", "2", "--repeats", "1", "--json"]).json();
    assert!(profile["rows"].as_array().unwrap().iter().any(|row| row["layer"] == "a"), "{profile}");

    let weights = fs::read(folder.path("run/weights.postcard")).unwrap();
    host_train(["export", &run, "--out", &tensors]).success();
    let back = folder.path("back.postcard");
    host_train(["import", &tensors, "--network", &file, "--out", &back]).success();
    assert_eq!(fs::read(&back).unwrap(), weights);
}

thumbnet::sequential! {
    struct OneSigmoid: [28, 28, 1] {
        flatten: Flatten,
        score: Dense { units: 1, activation: Sigmoid },
    }
}

thumbnet::sequential! {
    struct Numbers: [28, 28, 1] {
        flatten: Flatten,
        numbers: Dense { units: 3 },
    }
}

/// One probability is that of class 1, and what is no probability has no percents.
#[test]
fn predictions_mean_what_the_outputs_are() {
    let folder = Folder::with_stripes();
    let picture = &folder.path("digit.png");
    image::GrayImage::from_raw(28, 28, digits()[0].clone()).unwrap().save(picture).unwrap();
    let predict = |graph: &Graph<'static>, bias: &[f32]| {
        let file = folder.path("own.postcard");
        let mut weights = vec![0.0; graph.parameters() - bias.len()];
        weights.extend_from_slice(bias);
        fs::write(&file, checkpoint::write(graph, &unit(), &weights)).unwrap();
        let text = host_train(["predict", picture, "--model", &file]).success();
        (host_train(["predict", picture, "--model", &file, "--json"]).json(), text)
    };
    let (one, text) = predict(&OneSigmoid::GRAPH, &[4.0]);
    assert_eq!(one["class"], 1, "{one}");
    assert!(text.contains(": 1 (98.20 %), then 0 (1.80 %)"), "{text}");
    let (none, _) = predict(&OneSigmoid::GRAPH, &[-4.0]);
    assert_eq!(none["class"], 0, "{none}");
    let (numbers, text) = predict(&Numbers::GRAPH, &[-1.0, 5.5, 5.25]);
    assert_eq!((&numbers["class"], &numbers["uncertain"]), (&1.into(), &serde_json::Value::Null), "{numbers}");
    assert!(text.trim_end().ends_with(": 1 (output 5.5)"), "{text}");
}

#[test]
fn what_does_not_fit_an_own_network_is_said() {
    let (folder, file) = folder::<Colours>();
    let data = folder.path("data");
    let error = host_train(["evaluate", &file, "--dataset", &data]).error();
    assert!(error.contains("samples of 28 x 28 values, the network takes (8, 8, 3)"), "{error}");
    let error = host_train(["predict", "--model", &file, "picture.png"]).error();
    assert!(error.contains("(8, 8, 3)"), "{error}");
    let error = host_train(["train", "--network", &data]).error();
    assert!(error.contains("weights.postcard"), "{error}");
}
