//! Pictures in a folder for each class.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use thumbnet::input::Shows;

use super::{
    DataError, Dataset, Outputs, Targets, Values,
    error::Problem,
    load::{Expected, Found, Options, TEST_NAMES},
};
#[cfg(feature = "pictures")]
use crate::pictures::read_picture;

/// Whether a file is called as pictures are.
pub(super) fn is_picture(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| ending == "png" || ending == "jpg" || ending == "jpeg")
}

/// Whether there are folders of pictures.
pub(super) fn is_there(folder: &Path) -> Result<bool, DataError> {
    let folder = training(folder);
    for class in classes(&folder)? {
        if files(&class)?.iter().any(|path| is_picture(path)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Loads pictures (PNG or JPEG) as bytes: grey for one channel, RGB for three, turned upright as their EXIF tag says,
/// resized to the network's input whatever their sides' ratio is, as Keras does it. The names of the folders, sorted,
/// are the classes', and pictures in folders below one are of its class too, as in Keras. The folders are those in
/// `train/`, and in `test/`, `val/` or `validation/`; or all, to be split.
pub(super) fn load(folder: &Path, expected: Expected, options: &Options) -> Result<Found, DataError> {
    let train = training(folder);
    let Expected { input, outputs } = expected;
    let classes = classes(&train)?;
    for class in &classes {
        // Named before classes are counted, of which it is hardly one.
        pictures(class)?;
    }
    let names: Vec<String> = match options.labels.as_slice() {
        [] => classes.iter().map(|class| name(class)).collect(),
        known => known.to_vec(),
    };
    match outputs {
        Outputs::Values(1) => return Err(DataError::of(folder)(Problem::NotPictures { input, outputs })),
        Outputs::Classes(classes) | Outputs::Values(classes) if classes != names.len() => {
            return Err(DataError::of(&train)(Problem::Names { names, column: None, classes }));
        }
        Outputs::Classes(_) | Outputs::Values(_) | Outputs::Input => {}
    }
    if !matches!(input.channels, 1 | 3) {
        return Err(DataError::of(folder)(Problem::NotPictures { input, outputs }));
    }
    let test = TEST_NAMES.map(|name| folder.join(name)).into_iter().find(|test| train != folder && test.is_dir());
    let test = test.map(|test| half(&test, &names, expected)).transpose()?;
    // Which would else be the first class's for long.
    let test = test.map(|test| test.shuffled());
    Ok(Found::of(half(&train, &names, expected)?, test))
}

/// The folder whose folders are the training half's classes.
fn training(folder: &Path) -> PathBuf {
    let train = folder.join("train");
    if train.is_dir() { train } else { folder.into() }
}

/// The pictures of one half, whose classes are among those with `names`.
fn half(folder: &Path, names: &[String], Expected { input, .. }: Expected) -> Result<Dataset, DataError> {
    let (mut paths, mut targets) = (Vec::new(), Vec::new());
    for class in classes(folder)? {
        let name = name(&class);
        let Some(number) = names.iter().position(|known| *known == name) else {
            return Err(DataError::of(&class)(Problem::Unknown { name, place: None, names: names.to_vec() }));
        };
        let pictures = pictures(&class)?;
        targets.resize(targets.len() + pictures.len(), number);
        paths.extend(pictures);
    }
    // All results before the first error, so that it is the same each time.
    let pictures: Vec<_> = paths.par_iter().map(|path| read_picture(path, input)).collect();
    let mut bytes = Vec::with_capacity(pictures.len() * input.len());
    for picture in pictures {
        bytes.extend(picture?);
    }
    let data = Dataset::of(input, Values::Bytes(bytes), Targets::Classes(targets)).map_err(DataError::of(folder))?;
    let data = data.with_labels(names).map_err(DataError::of(folder))?;
    Ok(data.showing(Shows::Pictures))
}

#[cfg(not(feature = "pictures"))]
fn read_picture(path: &Path, _: thumbnet::geometry::Shape) -> Result<Vec<u8>, DataError> {
    Err(DataError::of(path)(Problem::WithoutPictures))
}

/// The folders of classes, sorted by name.
fn classes(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    Ok(entries(folder)?.into_iter().filter(|path| path.is_dir()).collect())
}

/// The files in a class's folder and below it. A link to a folder is taken for a file, which no reader reads: else it
/// might lead round in circles.
fn files(class: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut files = Vec::new();
    for path in entries(class)? {
        if path.is_dir() && !path.is_symlink() {
            files.append(&mut self::files(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

/// The files of a class, of which there are some.
fn pictures(class: &Path) -> Result<Vec<PathBuf>, DataError> {
    let files = files(class)?;
    if files.is_empty() { Err(DataError::of(class)(Problem::NoPictures)) } else { Ok(files) }
}

/// What is in a folder, sorted by name, but for hidden files and those that systems leave.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let of = DataError::of(folder);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(&of)? {
        let path = entry.map_err(&of)?.path();
        let name = name(&path);
        if !name.starts_with('.') && !["Thumbs.db", "desktop.ini", "__MACOSX"].contains(&name.as_str()) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(all(test, feature = "pictures"))]
mod tests {
    use image::{DynamicImage, GrayImage, Luma, Rgb, RgbImage};
    use thumbnet::geometry::Shape;

    use super::*;
    use crate::data::{Samples, Target};

    const COLOURS: Expected = Expected { input: Shape::new(2, 4, 3), outputs: Outputs::Classes(2) };

    fn write(folder: &Path, name: &str, picture: impl Into<DynamicImage>) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        picture.into().save(path).unwrap();
    }

    fn filled(colour: [u8; 3]) -> RgbImage {
        RgbImage::from_pixel(8, 6, Rgb(colour))
    }

    /// Red and blue pictures, of both kinds, with what is passed over.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for half in ["train", "val"] {
            write(folder.path(), &format!("{half}/red/1.png"), filled([255, 0, 0]));
            write(folder.path(), &format!("{half}/blue/b.PNG"), filled([0, 0, 255]));
            write(folder.path(), &format!("{half}/blue/a.jpg"), GrayImage::from_pixel(3, 2, Luma([128])));
            fs::write(folder.path().join(half).join("blue/.DS_Store"), "no picture").unwrap();
            fs::create_dir(folder.path().join(half).join(".cache")).unwrap();
        }
        folder
    }

    #[test]
    fn folders_are_classes() {
        let folder = folder();
        assert!(is_there(folder.path()).unwrap());
        let Found { train, test, .. } = load(folder.path(), COLOURS, &Options::default()).unwrap();
        assert_eq!((train.labels(), train.shows()), (&["blue".to_owned(), "red".to_owned()][..], Shows::Pictures));
        let targets: Vec<_> = (0..3).map(|index| train.target(index)).collect();
        assert_eq!(targets, [0, 0, 1].map(Target::Class));
        assert_eq!(train.bytes(0), Some(&[128; 24][..]));
        assert_eq!(train.bytes(1), Some([0, 0, 255].repeat(8).as_slice()));
        assert_eq!((test.as_ref().unwrap().len(), test.unwrap().labels()), (3, train.labels()));
        // Grey is the luminance that `image` computes.
        let grey = Expected { input: Shape::new(1, 1, 1), ..COLOURS };
        assert_eq!(load(folder.path(), grey, &Options::default()).unwrap().train.bytes(2), Some(&[54][..]));

        let all = load(&folder.path().join("val"), COLOURS, &Options::default()).unwrap();
        assert_eq!((all.train.len(), all.test), (3, None));
    }

    #[test]
    fn a_picture_is_resized_by_means() {
        let folder = tempfile::tempdir().unwrap();
        // Black and white columns, four a pixel.
        write(folder.path(), "a/1.png", GrayImage::from_fn(32, 32, |x, _| Luma([if x % 2 == 0 { 0 } else { 255 }])));
        write(folder.path(), "b/1.png", filled([9, 9, 9]));
        let grey = Expected { input: Shape::new(4, 4, 1), ..COLOURS };
        let data = load(folder.path(), grey, &Options::default()).unwrap().train;
        assert!(data.bytes(0).unwrap().iter().all(|pixel| (120..136).contains(pixel)), "{:?}", data.bytes(0));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let folder = folder();
        let error = |expected| load(folder.path(), expected, &Options::default()).err().unwrap().to_string();
        let text = error(Expected { outputs: Outputs::Classes(3), ..COLOURS });
        assert!(text.ends_with("train: 2 classes (blue, red), the network has 3"), "{text}");
        let text = error(Expected { input: Shape::new(2, 2, 2), ..COLOURS });
        let expected = "the network takes (2, 2, 2) and its outputs are one of 2 classes";
        assert!(text.ends_with(expected), "{text}");
        assert!(error(Expected { outputs: Outputs::Values(1), ..COLOURS }).ends_with("its outputs are 1 number"));

        write(folder.path(), "val/green/1.png", filled([0, 255, 0]));
        let text = error(COLOURS);
        assert!(text.ends_with("green: class `green`, the network is trained on blue, red"), "{text}");
        fs::remove_dir_all(folder.path().join("val/green")).unwrap();
        let broken = folder.path().join("train/red/0.png");
        fs::write(&broken, b"\x89PNG\r\n\x1a\n and no more").unwrap();
        let text = error(COLOURS);
        assert!(text.starts_with(&broken.display().to_string()), "{text}");
        fs::rename(&broken, folder.path().join("train/red/0.txt")).unwrap();
        fs::write(folder.path().join("train/red/0.txt"), "a text").unwrap();
        assert!(error(COLOURS).contains("0.txt: no picture, but PNG and JPEG are read"));
        fs::remove_dir_all(folder.path().join("train/red")).unwrap();
        fs::create_dir_all(folder.path().join("train/red/.cache")).unwrap();
        fs::write(folder.path().join("train/red/.DS_Store"), "no picture").unwrap();
        assert!(error(COLOURS).ends_with("red: no picture in this folder of a class"));
        // However many classes there are.
        assert!(
            error(Expected { outputs: Outputs::Classes(1), ..COLOURS })
                .ends_with("red: no picture in this folder of a class")
        );
    }

    #[test]
    fn pictures_below_a_class_are_its_own() {
        let folder = folder();
        write(folder.path(), "train/red/2025/may/2.png", filled([255, 0, 0]));
        write(folder.path(), "train/red/.thumbnails/2.png", filled([255, 0, 0]));
        write(folder.path(), "train/__MACOSX/red/._1.png", filled([255, 0, 0]));
        let data = load(folder.path(), COLOURS, &Options::default()).unwrap().train;
        let targets: Vec<_> = (0..data.len()).map(|index| data.target(index)).collect();
        assert_eq!((data.labels().len(), targets), (2, [0, 0, 1, 1].map(Target::Class).to_vec()));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(folder.path().join("train/red"), folder.path().join("train/red/again")).unwrap();
            let text = load(folder.path(), COLOURS, &Options::default()).err().unwrap().to_string();
            assert!(text.contains("again: "), "{text}");
        }
    }
}
