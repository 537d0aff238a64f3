//! `history.csv`: what each epoch reached.

use crate::model::Epoch;

const COLUMNS: [&str; 7] = ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds", "images_per_second"];

/// Where a file is no history.
#[derive(Debug, thiserror::Error)]
#[error("the history is damaged: line {line} is not as `train` writes it; without the file, a report has no curves")]
pub struct HistoryError {
    /// The first line that is none of a history.
    pub line: u64,
}

/// The epochs as CSV: a header with Keras's names for the metrics, then one row each. What was not measured is empty.
///
/// # Errors
///
/// None that memory can have; the writer's type has one.
pub fn to_csv(epochs: &[Epoch]) -> csv::Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for epoch in epochs {
        writer.serialize(epoch)?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// The epochs of such a file.
///
/// # Errors
///
/// Where it is none.
pub fn from_csv(bytes: &[u8]) -> Result<Vec<Epoch>, HistoryError> {
    let mut reader = csv::Reader::from_reader(bytes);
    if reader.headers().ok().is_none_or(|header| header != COLUMNS.as_slice()) {
        return Err(HistoryError { line: 1 });
    }
    let line = |error: csv::Error| HistoryError { line: error.position().map_or(1, csv::Position::line) };
    reader.deserialize().collect::<csv::Result<_>>().map_err(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_a_row_an_epoch() {
        let first = Epoch {
            epoch: 1,
            loss: 0.5,
            accuracy: Some(0.75),
            val_loss: Some(0.25),
            val_accuracy: Some(1.0),
            seconds: 2.0,
            images_per_second: 2.0,
            steps: 2,
        };
        let second =
            Epoch { epoch: 2, val_loss: None, val_accuracy: None, seconds: 0.5, images_per_second: 8.0, ..first };
        let text = String::from_utf8(to_csv(&[first, second]).unwrap()).unwrap();
        let expected = "epoch,loss,accuracy,val_loss,val_accuracy,seconds,images_per_second\n\
            1,0.5,0.75,0.25,1.0,2.0,2.0\n\
            2,0.5,0.75,,,0.5,8.0\n";
        assert_eq!(text, expected);
        let read = from_csv(text.as_bytes()).unwrap();
        assert_eq!(read, [Epoch { steps: 0, ..first }, Epoch { steps: 0, ..second }]);
        assert_eq!(to_csv(&[]).unwrap().iter().filter(|&&byte| byte == b'\n').count(), 1);
    }

    #[test]
    fn what_is_no_history_is_named_by_its_line_alone() {
        let whole = String::from_utf8(to_csv(&[]).unwrap()).unwrap();
        for (text, line) in [
            (String::new(), 1),
            ("thumbnet\0\u{1}\u{2}".into(), 1),
            ("a,b,label\n1,2,0\n".into(), 1),
            (format!("{whole}1,0.5,0.75,,,0.5,8.0\nmuch,0.5,0.75,,,0.5,8.0\n"), 3),
            (format!("{whole}1,0.5,0.75\n"), 2),
        ] {
            assert_eq!(from_csv(text.as_bytes()).unwrap_err().line, line, "{text}");
        }
        assert_eq!(from_csv(&[whole.as_bytes(), b"1,\xff,,,,0.5,8.0\n"].concat()).unwrap_err().line, 2);
    }
}
