use std::fs;

use thumbnet::geometry::Shape;

use super::*;
use crate::data::{ColumnNames, Number, Outputs, Samples, Target, load as load_any};

const XY: Expected = Expected { input: Shape::vector(2), outputs: Outputs::Classes(2) };
/// Windows of three time steps of two axes.
const WINDOWS: Expected = Expected { input: Shape::new(3, 1, 2), ..XY };

fn try_table(text: &str, expected: Expected, options: &Options) -> Result<Found, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    fs::write(&path, text).unwrap();
    // Without the path of the folder.
    super::load(&path, None, expected, options)
        .map_err(|error| error.to_string().rsplit_once("t.csv: ").unwrap().1.to_owned())
}

fn table(text: &str, expected: Expected, options: &Options) -> Dataset {
    try_table(text, expected, options).unwrap().train
}

fn error(text: &str, expected: Expected) -> String {
    try_table(text, expected, &Options::default()).err().unwrap()
}

fn values(data: &Dataset) -> Vec<Vec<f32>> {
    let mut sample = vec![0.0; data.shape().len()];
    (0..data.len())
        .map(|index| {
            data.read(index, &mut sample);
            sample.clone()
        })
        .collect()
}

fn classes(data: &Dataset) -> Vec<usize> {
    let Targets::Classes(classes) = data.targets() else { panic!("they have classes") };
    classes.clone()
}

fn named(names: &[&str]) -> Options {
    Options { target: names.iter().map(|&name| name.into()).collect(), ..Options::default() }
}

#[test]
fn a_row_is_a_sample_and_its_last_column_the_class() {
    for text in [
        "1,2,1\n3,4,0\n",
        "a,b,c\n1,2,1\n3,4,0\n",
        "\u{feff}a;b;c\r\n1;2;1\r\n3;4;0",
        "a\tb\tc\n 1 \t2\t1.0\n\n3\t4\t0\n",
        "label,a,b\n1,1,2\n0,3,4\n",
        "a,Class,b\n1,1,2\n3,0,4\n",
        "id,a,b,c\n10,1,2,1\n11,3,4,0\n",
        ",a,b,c\n0,1,2,1\n1,3,4,0\n",
    ] {
        let data = table(text, XY, &Options::default());
        assert_eq!((values(&data), classes(&data)), (vec![vec![1.0, 2.0], vec![3.0, 4.0]], vec![1, 0]), "{text}");
        assert!(data.labels().is_empty());
    }
    let data = table("x,y,label\n1,1,2\n0,3,4\n", XY, &named(&["x"]));
    assert_eq!((values(&data), classes(&data)), (vec![vec![1.0, 2.0], vec![3.0, 4.0]], vec![1, 0]));
    assert_eq!(classes(&table("1,1,2\n0,3,4\n", XY, &named(&["1"]))), [1, 0]);
    // A column that would name groups is a value where it is needed.
    assert_eq!(values(&table("id,a,label\n7,2,1\n8,4,0\n", XY, &Options::default()))[0], [7.0, 2.0]);
}

/// Comments, a line that names the delimiter and old ends of lines change neither rows nor the numbers of lines.
#[test]
fn a_beginning_may_say_how_the_table_is_written() {
    for text in [
        "sep=;\na;b;c\n1;2;1\n3;4;0\n",
        "\u{feff}SEP=|\r\na|b|c\r\n1|2|1\r\n3|4|0\r\n",
        "\"sep=\t\"\na\tb\tc\n1\t2\t1\n3\t4\t0\n",
        "# made on Monday; by me\n#\n\na,b,c\n1,2,1\n3,4,0\n",
        "\u{feff}# one, two\n1,2,1\n3,4,0\n",
        "# by numpy.savetxt\n# a,b,c\n1,2,1\n3,4,0\n",
        "a,b,c\r1,2,1\r\r3,4,0\r",
        "1,2,1\r3,4,0",
        "sep=;\r# made on Monday\ra;b;c\r1;2;1\r3;4;0",
    ] {
        let data = table(text, XY, &Options::default());
        assert_eq!((values(&data), classes(&data)), (vec![vec![1.0, 2.0], vec![3.0, 4.0]], vec![1, 0]), "{text}");
    }
    for (text, line) in [("sep=;\na;b;c\n1;2;0\n3;x;1\n", 4), ("# made\n\n1,2,0\n3,x,1\n", 4), ("1,2,0\r\r3,x,1\r", 3)]
    {
        let text = error(text, XY);
        assert!(text.starts_with(&format!("line {line}, column `")) && text.contains("`x` is no finite"), "{text}");
    }
    // What has as many columns as a row is one.
    let colours = Options { target: vec!["1".into()], ..Options::default() };
    let data = table("#00f,1,2\n#f00,3,4\nred,5,6\n", Expected { outputs: Outputs::Classes(3), ..XY }, &colours);
    assert_eq!((data.len(), data.labels()), (3, &["#00f", "#f00", "red"].map(String::from)[..]));
    let text = error("# made, on, Monday\n1,2,0\n3,4,1\n# done, on, Tuesday\n", XY);
    assert!(text.ends_with("`# done` is no finite number: leave out lines that are comments"), "{text}");
    let text = error("1,2,0\n# made on Monday\n3,4,1\n", XY);
    assert_eq!(text, "line 2: 1 columns, the lines before it have 3: leave out lines that are comments");
}

/// Where a number is from is known of each sample, wherever it has come to stand.
#[test]
fn numbers_are_found_again_in_their_lines() {
    let Found { train, .. } = try_table("# made\n\n0,1,2\n1,3,4\n", XY, &named(&["1"])).unwrap();
    let place = |data: &Dataset, index, number| data.place(index, number).rsplit_once("t.csv: ").unwrap().1.to_owned();
    assert_eq!(place(&train.select(&[1]), 0, Number::Value(1)), "line 4, column `3`");
    let numbers = Expected { outputs: Outputs::Values(1), ..WINDOWS };
    let windows = table("a,b,y\n1,2,3\n\n3,4,5\n5,6,7\n7,8,9\n8,9,9\n9,8,9\n", numbers, &Options::default());
    assert_eq!(place(&windows, 0, Number::Value(3)), "line 4, column `b`");
    assert_eq!(place(&windows, 1, Number::Target(0)), "line 8, column `y`");
    let own = Dataset::from_values(Shape::vector(2), vec![0.0; 4], vec![0, 1]).unwrap();
    assert_eq!(own.place(1, Number::Value(0)), "sample 1, value 0");
}

#[test]
fn classes_have_names_or_numbers() {
    let data = table("a,b,label\n1,2,run\n3,4,\"fall, hard\"\n5,6,run\n", XY, &Options::default());
    assert_eq!((data.labels(), classes(&data)), (&["fall, hard".to_owned(), "run".to_owned()][..], vec![1, 0, 1]));
    // Numbers from 1, or apart, are names: in the order of their values.
    let data = table("1,2,10\n3,4,9\n", XY, &Options::default());
    assert_eq!((data.labels(), classes(&data)), (&["9".to_owned(), "10".to_owned()][..], vec![1, 0]));

    assert_eq!(error("1,2,none\n3,4,9\n5,6,inf\n", XY), "3 classes in column `3` (9, inf, none), the network has 2");

    let three = "1,2,a\n3,4,b\n5,6,c\n";
    assert_eq!(error(three, XY), "3 classes in column `3` (a, b, c), the network has 2");
    assert_eq!(error("1,2,a\n3,4,a\n", XY), "1 class in column `3` (a), the network has 2");
    let text = "label 2 in line 2, the network has 2 classes (labels 0 to 1)";
    assert_eq!(error("1,2,0\n5,6,2\n3,4,1\n", XY), text);
    assert_eq!(error("1,2,0\n3,4,-1\n5,6,7\n", XY), "3 classes in column `3` (-1, 0, 7), the network has 2");
    assert_eq!(error("1,2,a\n3,4,\n", XY), "line 2, column `3`: it is empty");
    assert_eq!(error("1,2,1\n3,4,NaN\n", XY), "line 2, column `3`: it is NaN");
}

/// `1.0` is `1`, as programs write whole numbers beside what is missing; `05` is a name.
#[test]
fn a_number_is_one_class_however_it_is_written() {
    let labels = |text: &str| {
        let data = table(text, XY, &Options::default());
        (data.labels().join(" "), classes(&data))
    };
    assert_eq!(labels("1,2,5\n3,4,6.0\n1,2,5.0\n3,4,6\n"), ("5 6".into(), vec![0, 1, 0, 1]));
    assert_eq!(labels("1,2,5.0\n3,4,5\n1,2,6.0\n"), ("5 6.0".into(), vec![0, 0, 1]));
    assert_eq!(labels("1,2,05\n3,4,5\n1,2,05\n"), ("05 5".into(), vec![0, 1, 0]));
    assert_eq!(labels("1,2,v1.0\n3,4,v1\n"), ("v1 v1.0".into(), vec![1, 0]));
    // What the network was trained on is found however it is written.
    let known = Options { labels: vec!["5.0".into(), "6".into()], ..Options::default() };
    assert_eq!(classes(&table("1,2,5\n3,4,6.0\n", XY, &known)), [0, 1]);
}

#[test]
fn outputs_may_be_numbers_or_the_input() {
    let numbers = |outputs| Expected { outputs: Outputs::Values(outputs), ..XY };
    let data = table("a,b,c\n1,2,0.5\n3,4,-7\n", numbers(1), &Options::default());
    assert_eq!([0, 1].map(|index| data.target(index)), [Target::Values(&[0.5]), Target::Values(&[-7.0])]);
    let data = table("a,b,c,d\n1,2,0.5,8\n3,4,-7,9\n", numbers(2), &Options::default());
    assert_eq!((values(&data)[1].as_slice(), data.target(1)), (&[3.0, 4.0][..], Target::Values(&[-7.0, 9.0])));
    let data = table("a,b,c,d\n1,2,0.5,8\n3,4,-7,9\n", numbers(2), &named(&["d", "a"]));
    assert_eq!((values(&data)[1].as_slice(), data.target(1)), (&[4.0, -7.0][..], Target::Values(&[9.0, 3.0])));
    // Scores of classes.
    assert_eq!(table("a,b,label\n1,2,1\n3,4,0\n", numbers(2), &Options::default()).target(0), Target::Class(1));
    let text = try_table("a,b,c\n1,2,0\n", numbers(3), &named(&["a", "b"])).err().unwrap();
    assert_eq!(text, "2 columns of targets (a, b), the network's outputs are 3 numbers");
    let text = try_table("a,b,c\n1,2,0\n", XY, &named(&["d"])).err().unwrap();
    assert_eq!(text, "no column `d` for --target; there are a, b, c");

    let itself = Expected { outputs: Outputs::Input, ..XY };
    for text in ["1,2\n3,4\n", "a,b,label\n1,2,run\n3,4,\n"] {
        let data = table(text, itself, &Options::default());
        assert_eq!((values(&data)[1].as_slice(), data.target(1)), (&[3.0, 4.0][..], Target::Class(0)), "{text}");
    }
}

/// Windows hold rows of one class and one recording, that follow one another.
#[test]
fn rows_are_cut_into_windows() {
    let rows = |ranges: &[(&str, &str, std::ops::Range<i32>)]| -> String {
        let row = |(group, label, range): &(&str, &str, std::ops::Range<i32>)| -> String {
            range.clone().map(|i| format!("{group},{i},{},{label}\n", -i)).collect()
        };
        format!("recording,x,y,label\n{}", ranges.iter().map(row).collect::<String>())
    };
    let text = rows(&[("r1", "a", 0..7), ("r1", "b", 7..10), ("r2", "b", 10..12), ("r3", "b", 12..16)]);
    let Found { train, units, notes, .. } = try_table(&text, WINDOWS, &Options::default()).unwrap();
    let firsts: Vec<f32> = values(&train).iter().map(|window| window[0]).collect();
    assert_eq!((firsts.as_slice(), classes(&train).as_slice()), (&[0.0, 3.0, 7.0, 12.0][..], &[0, 0, 1, 1][..]));
    assert_eq!(values(&train)[1], [3.0, -3.0, 4.0, -4.0, 5.0, -5.0]);
    assert_eq!(units, [0, 0, 0, 2]);
    assert!(notes[0].ends_with("4 of 16 rows are in no window of 3 rows of one `label` and `recording`"), "{notes:?}");

    let step = Options { window_step: Some(2), ..Options::default() };
    let Found { train, units, .. } = try_table(&text, WINDOWS, &step).unwrap();
    let firsts: Vec<f32> = values(&train).iter().map(|window| window[0]).collect();
    assert_eq!((firsts.as_slice(), units.as_slice()), (&[0.0, 2.0, 4.0, 7.0, 12.0][..], &[0, 0, 0, 0, 2][..]));

    // Without recordings, windows that share rows belong together.
    let plain = text.replace("recording,", "").replace("r1,", "").replace("r2,", "").replace("r3,", "");
    let found = try_table(&plain, WINDOWS, &step).unwrap();
    assert_eq!(found.units, [0, 0, 0, 1, 1, 1, 1]);
    assert!(try_table(&plain, WINDOWS, &Options::default()).unwrap().units.is_empty());

    // What is wanted of a window is its last row's.
    let numbers = Expected { outputs: Outputs::Values(1), ..WINDOWS };
    let data =
        table("1,2,10\n3,4,11\n5,6,12\n7,8,13\n", numbers, &Options { window_step: Some(1), ..Options::default() });
    assert_eq!([0, 1].map(|index| data.target(index)), [Target::Values(&[12.0]), Target::Values(&[13.0])]);
}

#[test]
fn windows_that_cannot_be_are_refused() {
    let text = "x,y,label\n1,2,0\n1,2,0\n1,2,1\n";
    let none = "no 3 consecutive rows of one `label`, which make a window: the longest stretch has 2";
    assert_eq!(error(text, WINDOWS), none);
    let options = |window_step| Options { window_step: Some(window_step), ..Options::default() };
    let text = "1,2,0\n1,2,0\n1,2,0\n1,2,1\n1,2,1\n1,2,1\n";
    let zero = try_table(text, WINDOWS, &options(0)).err().unwrap();
    assert_eq!(zero, "window step is 0 rows, but must be at least 1");
    assert!(try_table(text, WINDOWS, &options(usize::MAX)).is_ok());
    let rows = try_table(text, XY, &options(1)).err().unwrap();
    assert_eq!(rows, "--window-step is of tables whose rows are time steps, which this is not");
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    for (text, expected) in [
        ("", "a table without rows of data"),
        ("a,b,c\n", "a table without rows of data"),
        ("1,2,0\n3,4\n", "line 2: 2 columns, the lines before it have 3"),
        ("a,b,c\n1,2,0\n3,,1\n", "line 3, column `b`: `` is no finite number: leave out the line"),
        ("a,b,c\n\n\n1,2,0\n\n3,nan,1", "line 6, column `b`: `nan` is no finite number"),
        ("\r\na,b,c\r\n1,2,0\r\n\r\n3,nan,1\r\n", "line 5, column `b`: `nan` is no finite number"),
        ("a,b,\"c\nd\"\n1,2,0\n3,nan,1\n", "line 4, column `b`: `nan` is no finite number"),
        ("1,2,0\n-inf,4,1\n", "line 2, column `1`: `-inf` is no finite number"),
        ("1,2,0\n1e39,4,1\n", "line 2, column `1`: `1e39` is no finite number"),
        ("1,2,0\n3,4 m,1\n", "line 2, column `2`: `4 m` is no finite number (--target"),
        (
            "a;b;c\n1,5;2;0\n3;4;1\n",
            "line 2, column `a`: `1,5` is no finite number: write 1.5 and 1500, not 1,5 and 1,500",
        ),
        (
            "a,b,c\n1,2,0\n\"3,4,1\n5,6,0\n",
            "line 3: 1 columns, the lines before it have 3; one goes on in the next line",
        ),
    ] {
        assert!(error(text, XY).starts_with(expected), "{text}");
    }
    // Names that are numbers are one where the target's is none.
    assert_eq!(values(&table("0,1,y\n1,2,0\n3,4,1\n", XY, &Options::default())), [[1.0, 2.0], [3.0, 4.0]]);
    assert_eq!(classes(&table("1,2,y\n3,4,n\n", XY, &Options::default())), [1, 0]);
    for (text, expected) in [
        // What is no number in the first row, beside one, is no header.
        ("NA,2,1\n3,4,0\n", "line 1, column `1`: `NA` is no finite number"),
        (",2,1\n3,4,0\n", "line 1, column `1`: `` is no finite number"),
        ("a,b,label\n1,2,yes\n3,4,\"no\n5,6,yes\n", "line 3, column `label`: it goes on in the next line"),
        ("1,2;3,4 m;0\n5,6;7,8;1\n", "line 1, column `1`: `1,2` is no finite number: write 1.5"),
        ("1,\x002,0\n3,4,1\n", "line 1, column `2`: `\u{fffd}2` is no finite number"),
    ] {
        let found = error(text, XY);
        assert!(found.starts_with(expected), "{text}: {found}");
    }
    let ignore = Options { ignore: vec!["note".into()], ..Options::default() };
    let notes = try_table("a,b,note,label\n1,2,\"5 inch,0\n3,4,6\",1\n5,6,,0\n", XY, &ignore).unwrap().notes;
    assert!(notes[0].ends_with("t.csv: line 2 goes on in the next one: if it should not, a quote is not closed"));
    let note = |text: &str, options: &Options| try_table(text, XY, options).unwrap().notes;
    let guess = "t.csv: column `y` is taken as the target; --target names another";
    assert!(note("y,a,b\n0,1,2\n", &Options::default())[0].ends_with(guess));
    assert!(note("y,a,b\n0,1,2\n", &named(&["y"])).is_empty());
    let classes = "3 classes in column `kind` (x, y, z), the network has 2";
    assert_eq!(error("a,b,kind\n1,2,x\n3,4,y\n5,6,z\n", XY), classes);
    let columns = "3 columns of values (a, b, c), the network takes (2): 2 columns where a row is a sample";
    assert_eq!(error("a,b,c,d\n1,2,3,0\n", XY), columns);
    let columns = "0 columns of values (), the network takes (2): 2 columns where a row is a sample; between columns \
                   stands a comma, a semicolon or a tab";
    assert_eq!(error("a|b|c\n1|2|0\n", XY), columns);
    let columns = "3 columns of values (a, b, c), the network takes (3, 1, 2): 6 columns where a row is a sample, 2 \
                   where it is one of 3 time steps";
    assert_eq!(error("a,b,c,d\n1,2,3,0\n", WINDOWS), columns);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    for (bytes, line) in [(&b"1,2,0\n3,\xff,1\n"[..], 2), (b"1,2,0\n\n\r\n3,\xff,1\n", 4), (b"a,\xff,c\n1,2,0\n", 1)] {
        fs::write(&path, bytes).unwrap();
        let text = super::load(&path, None, XY, &Options::default()).err().unwrap().to_string();
        assert!(
            text.ends_with(&format!("t.csv: line {line}, column 2: it is no UTF-8: save the table as that")),
            "{text}"
        );
    }
}

/// Whatever is in a file, the answer is a data set or a line that says what is wrong.
#[test]
fn damaged_tables_never_panic() {
    let text = "recording,x,y,label\nr1,1,2,a\nr1,3,4,a\nr1,5,6,a\nr2,7,8,\"b\"\nr2,9,10,b\nr2,11,12,b\n";
    let pieces: [&[u8]; 8] = [b",", b"\n", b"\"", b"\r", b"nan", b"\xff", b"99999999999999999999", b""];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    for at in 0..text.len() {
        for piece in pieces {
            fs::write(&path, [&text.as_bytes()[..at], piece, &text.as_bytes()[at + 1..]].concat()).unwrap();
            for outputs in [Outputs::Classes(2), Outputs::Values(1), Outputs::Input] {
                if let Err(error) = load_any(&path, Expected { outputs, ..WINDOWS }, &Options::default()) {
                    let text = error.to_string();
                    assert!(text.lines().count() == 1, "{text}");
                }
            }
        }
    }
}

/// The classes of a test half are the training half's, whatever it has itself.
#[test]
fn the_test_half_has_the_training_halfs_classes() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("train.csv", "a,b,label\n1,2,x\n3,4,y\n");
    write("val.tsv", "a\tb\tlabel\n5\t6\ty\n");
    let load = || load_any(folder.path(), XY, &Options::default());
    let halves = load().unwrap();
    assert_eq!((classes(&halves.test), halves.test.labels()), (vec![1], halves.train.labels()));
    write("val.tsv", "a\tb\tlabel\n5\t6\ty\n7\t8\tz\n");
    let text = load().unwrap_err().to_string();
    assert!(text.ends_with("val.tsv: class `z` in line 3, the network is trained on x, y"), "{text}");
    write("train.csv", "a,b,label\n1,2,0\n3,4,1\n");
    let text = load().unwrap_err().to_string();
    assert!(text.ends_with("label y in line 2, the network has 2 classes (labels 0 to 1)"), "{text}");
    // So are its columns.
    write("val.tsv", "a\tc\tlabel\n5\t6\t1\n");
    let text = load().unwrap_err().to_string();
    let train = folder.path().join("train.csv");
    let expected = format!("val.tsv: no column `b` for the columns of {}; there are a, c, label", train.display());
    assert!(text.ends_with(&expected), "{text}");
}

/// What a network was trained on is found by its names, wherever it stands; what is not there is named.
#[test]
fn columns_and_classes_are_those_that_are_known() {
    let first = table("a,b,state\n1,2,up\n3,4,down\n", XY, &named(&["state"]));
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(first.columns(), &ColumnNames { values: names(&["a", "b"]), targets: names(&["state"]) });
    assert_eq!(first.labels(), ["down", "up"]);
    let known = Options { labels: first.labels().to_vec(), columns: first.columns().clone(), ..Options::default() };
    let other = table("state,b,time,a\nup,20,7,10\n", XY, &known);
    assert_eq!((values(&other), classes(&other)), (vec![vec![10.0, 20.0]], vec![1]));
    let other = table("State,B,time,A\nup,20,7,10\n", XY, &known);
    assert_eq!((values(&other), classes(&other)), (vec![vec![10.0, 20.0]], vec![1]));
    let error = |text: &str| try_table(text, XY, &known).err().unwrap();
    assert!(error("a,c,state\n1,2,up\n").contains("no column `b` for the network's columns; there are a, c, state"));
    assert!(error("a,b,state\n1,2,Up\n").contains("class `Up` in line 2, the network is trained on down, up"));
    // A name that is a number is no place.
    let numbered = table("label,1,2\nup,1,2\ndown,3,4\n", XY, &Options::default());
    let known_numbers = Options { columns: numbered.columns().clone(), ..Options::default() };
    assert_eq!(values(&table("2,1,label\n8,9,up\n8,9,down\n", XY, &known_numbers))[0], [9.0, 8.0]);
    let error_of = try_table("label,1,x\nup,1,2\ndown,3,4\n", XY, &known_numbers).err().unwrap();
    assert!(error_of.contains("no column `2` for the network's columns; there are label, 1, x"), "{error_of}");
    // What separates columns is not looked for between quotes.
    let quoted = table("\"a, b, c\";\"d, e\";state\n1;2;up\n3;4;down\n", XY, &named(&["state"]));
    assert_eq!(quoted.columns().values, names(&["a, b, c", "d, e"]));
    // Without names there is an order alone.
    assert_eq!(values(&table("1,2,up\n", XY, &known)), [[1.0, 2.0]]);
    let ignore = Options { ignore: vec!["time".into()], ..named(&["state"]) };
    assert_eq!(values(&table("time,a,b,state\n9,1,2,up\n9,3,4,down\n", XY, &ignore))[0], [1.0, 2.0]);
    let twice = try_table("a,a,state\n1,2,up\n3,4,down\n", XY, &named(&["state"])).err().unwrap();
    assert!(twice.contains("two columns are called `a`"), "{twice}");
}
