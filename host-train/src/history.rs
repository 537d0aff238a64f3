//! What each epoch reached, and `history.csv`.

use serde::Serialize;

use crate::model::Evaluation;

/// One epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Epoch {
    /// From 1.
    pub epoch: usize,
    /// Mean loss while training, each step before its update.
    pub loss: f64,
    /// Share of right answers while training; `None` where outputs estimate numbers.
    pub accuracy: Option<f64>,
    /// Mean loss over the validation data, after the epoch.
    pub val_loss: Option<f64>,
    /// Share of right answers over the validation data.
    pub val_accuracy: Option<f64>,
    /// Time for the steps, without validation.
    pub seconds: f64,
    /// Training samples a second.
    pub images_per_second: f64,
    /// Steps.
    #[serde(skip)]
    pub steps: usize,
}

impl Epoch {
    pub(crate) fn new(epoch: usize, steps: usize, seconds: f64, training: Evaluation) -> Self {
        Self {
            epoch,
            loss: training.loss,
            accuracy: training.accuracy,
            val_loss: None,
            val_accuracy: None,
            seconds,
            images_per_second: training.samples as f64 / seconds.max(1e-9),
            steps,
        }
    }

    pub(crate) fn validate(&mut self, validation: Evaluation) {
        self.val_loss = Some(validation.loss);
        self.val_accuracy = validation.accuracy;
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_a_row_an_epoch() {
        let training = Evaluation { loss: 0.5, correct: Some(3), samples: 4, accuracy: Some(0.75) };
        let mut first = Epoch::new(1, 2, 2.0, training);
        first.validate(Evaluation { loss: 0.25, correct: Some(1), samples: 1, accuracy: Some(1.0) });
        let second = Epoch::new(2, 2, 0.5, training);
        let text = String::from_utf8(to_csv(&[first, second]).unwrap()).unwrap();
        let expected = "epoch,loss,accuracy,val_loss,val_accuracy,seconds,images_per_second\n\
            1,0.5,0.75,0.25,1.0,2.0,2.0\n\
            2,0.5,0.75,,,0.5,8.0\n";
        assert_eq!(text, expected);
        assert_eq!(to_csv(&[]).unwrap().iter().filter(|&&byte| byte == b'\n').count(), 1);
    }
}
