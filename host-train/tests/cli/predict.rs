//! `predict`.

use std::fs;

use crate::{
    support::{Folder, digits, host_train},
    train,
};

/// A folder with a trained network and two digits.
fn with_digits() -> (Folder, String, [String; 2]) {
    let folder = Folder::with_stripes();
    train(&folder, &["--epochs", "1", "--shows", "digits"]).success();
    let images = [0, 1].map(|number| {
        let path = folder.path(&format!("{number}.png"));
        image::GrayImage::from_raw(28, 28, digits()[number].clone()).unwrap().save(&path).unwrap();
        path
    });
    let run = folder.path("run");
    (folder, run, images)
}

#[test]
fn predicts_pictures() {
    let (folder, run, images) = with_digits();
    let output = host_train(["predict", &images[0], &images[1], "--model", &run, "--json"]).success();
    let objects: Vec<serde_json::Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.len(), 2);
    let scores: Vec<f64> = objects[0]["scores"].as_array().unwrap().iter().map(|s| s.as_f64().unwrap()).collect();
    assert!((scores.iter().sum::<f64>() - 1.0).abs() < 1e-5);
    assert_eq!(objects[0]["score"].as_f64().unwrap(), scores.iter().copied().fold(0.0, f64::max));

    let text = host_train(["predict", &images[0], "--model", &run, "--show"]).success();
    assert!(text.lines().count() == 29 && text.contains('█') && text.contains(" %), then "), "{text}");

    let blank = folder.path("blank.png");
    image::GrayImage::new(28, 28).save(&blank).unwrap();
    let text = host_train(["predict", &blank, "--model", &run]).error();
    assert!(text.contains("blank.png: no digit found"), "{text}");
}

/// A 3 of MNIST's test set, drawn on a page, which the committed weights take for an 8 with a score of 92 %.
#[test]
fn says_where_a_pixel_more_or_less_decides() {
    let from_here = |path: &str| format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    let blob = from_here("../models/blobs/mnist_small.plain.tnb");
    let text = host_train(["predict", &from_here("tests/data/pictures/three.png"), "--model", &blob]).success();
    assert!(text.contains("three.png: 8 (") && text.ends_with("(uncertain: moved by one pixel it is 3)\n"), "{text}");
}

#[test]
fn a_picture_that_cannot_be_read_stops_no_other() {
    let (folder, run, [first, last]) = with_digits();
    let [missing, text] = ["missing.png", "text.png"].map(|name| folder.path(name));
    fs::write(&text, "no picture").unwrap();
    let outcome = host_train(["predict", &first, &missing, &text, &last, "--model", &run]);
    assert_eq!(outcome.status, Some(1));
    let read: Vec<_> = outcome.stdout.lines().collect();
    assert!(read.len() == 2 && read[0].starts_with(&first) && read[1].starts_with(&last), "{read:?}");
    let errors: Vec<_> = outcome.stderr.lines().collect();
    assert!(errors[0].starts_with(&format!("error: {missing}: ")), "{errors:?}");
    assert!(errors[1].starts_with(&format!("error: {text}: ")), "{errors:?}");
    assert_eq!(errors[2..], ["error: 2 of 4 files have nothing that could be read"]);
}

/// The status is that of all pictures, and all are looked at, whether anybody reads the lines or not.
#[cfg(unix)]
#[test]
fn the_status_is_that_of_all_pictures_where_nobody_reads() {
    let (folder, run, [first, last]) = with_digits();
    let missing = folder.path("missing.png");
    let outcome = crate::support::host_train_unread(["predict", &first, &last, "--model", &run]);
    assert_eq!((outcome.status, outcome.stderr.as_str()), (Some(0), ""));
    let outcome = crate::support::host_train_unread(["predict", &first, &missing, &last, "--model", &run]);
    assert_eq!(outcome.status, Some(1));
    assert!(outcome.stderr.ends_with("error: 1 of 3 files have nothing that could be read\n"), "{}", outcome.stderr);
}

#[test]
fn what_is_no_whole_picture_is_said_in_one_line() {
    let (folder, run, [digit, _]) = with_digits();
    let whole = fs::read(digit).unwrap();
    let file = folder.path("file.png");
    let cut = "the picture is cut off: the file ends before it does";
    let mut damaged = whole.clone();
    damaged[30] ^= 1;
    for (bytes, expected) in [
        (&whole[..whole.len() / 2], cut),
        (&whole[..20], cut),
        (&damaged, "the picture is damaged: it cannot be decoded"),
        (b"", "no picture, but PNG and JPEG are read"),
        (b"no picture", "no picture, but PNG and JPEG are read"),
        (b"II*\0\x08\0\0\0", "a picture of the format TIFF, but PNG and JPEG are read"),
        (b"GIF89a", "a picture of the format GIF, but PNG and JPEG are read"),
    ] {
        fs::write(&file, bytes).unwrap();
        let text = host_train(["predict", &file, "--model", &run]).error();
        assert_eq!(text, format!("error: {file}: {expected}\n"));
    }
}

/// What files may be depends on the network.
#[test]
fn a_folder_is_no_picture() {
    let (folder, run, [first, _]) = with_digits();
    let data = folder.path("data");
    let text = host_train(["predict", &data, "--model", &run]).error();
    let expected = format!("error: {data}: a folder, but for this network `predict` takes ");
    assert_eq!(text, format!("{expected}PNG or JPEG files, of one digit each\n"));
    let outcome = host_train(["predict", &first, &data, "--model", &run]);
    assert!(outcome.stdout.starts_with(&first) && outcome.stderr.starts_with(&expected), "{}", outcome.stderr);
    let network = crate::own::network::<crate::own::Product>(&folder);
    let text = host_train(["predict", &data, "--model", &network]).error();
    assert_eq!(text, format!("{expected}files .csv, .tsv, .npy or .npz\n"));
}
