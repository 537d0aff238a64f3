//! `history.csv`: what each epoch reached.

use crate::model::Epoch;

/// The epochs as CSV: a header with Keras's names for the metrics, then one row each. What was not measured is empty.
///
/// # Errors
///
/// None that memory can have; the writer's type has one.
pub fn to_csv(epochs: &[Epoch]) -> csv::Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.write_record(["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds", "images_per_second"])?;
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
pub fn from_csv(bytes: &[u8]) -> csv::Result<Vec<Epoch>> {
    csv::Reader::from_reader(bytes).deserialize().collect()
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
}
