//! The learning rate over a training.

use std::f64::consts::PI;

use super::FitError;

/// How the learning rate goes over all steps of a training.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Schedule {
    /// It stays what the optimizer has.
    #[default]
    Constant,
    /// Up from 0 in a line to what the optimizer has, then down to 0 along half a cosine: Keras's
    /// `CosineDecay(0, steps - warmup_steps, warmup_target=learning_rate, warmup_steps=warmup_steps)`.
    Cosine {
        /// Which share of the steps the way up takes, at least 0 and below 1; of whole steps, to which it is rounded,
        /// one is left.
        warmup: f32,
    },
}

impl Schedule {
    /// The warm-up of a cosine where nobody says another.
    pub const USUAL_WARMUP: f32 = 0.05;

    /// Refuses what makes no schedule.
    pub(super) fn check(self) -> Result<(), FitError> {
        match self {
            Self::Cosine { warmup } if !(0.0..1.0).contains(&warmup) => Err(FitError::Warmup { warmup }),
            Self::Constant | Self::Cosine { .. } => Ok(()),
        }
    }

    /// The learning rate of step `step`, from 0, of `steps` in all, where the optimizer's is `learning_rate`.
    pub fn learning_rate(self, learning_rate: f32, step: u64, steps: u64) -> f32 {
        let Self::Cosine { warmup } = self else { return learning_rate };
        let (step, steps) = (step as f64, steps as f64);
        let warmup_steps = (f64::from(warmup) * steps).round().min(steps - 1.0);
        let factor = if step < warmup_steps {
            step / warmup_steps
        } else {
            (1.0 + f64::cos(PI * (step - warmup_steps) / (steps - warmup_steps))) / 2.0
        };
        (f64::from(learning_rate) * factor) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keras's own numbers:
    ///
    /// ```python
    /// from keras.optimizers.schedules import CosineDecay
    /// first, second = [0, 1, 4, 5, 6, 12, 19], [0, 1, 49, 50, 51, 500, 999]
    /// for rate, steps, warmup, at in [(0.5, 20, 5, first), (0.001, 1000, 50, second)]:
    ///     cosine = CosineDecay(0.0, steps - warmup, warmup_target=rate, warmup_steps=warmup)
    ///     print([float(cosine(step)) for step in at])
    /// cosine = CosineDecay(2.0, 7)
    /// print([float(cosine(step)) for step in range(7)])
    /// ```
    #[test]
    fn cosines_are_kerass() {
        let check = |warmup, learning_rate, steps, expected: &[(u64, f32)]| {
            for &(step, keras) in expected {
                let rate = Schedule::Cosine { warmup }.learning_rate(learning_rate, step, steps);
                // Keras adds to 1 in f32.
                assert!((rate - keras).abs() <= 1.2e-7 * learning_rate, "step {step} of {steps}: {rate}, not {keras}");
            }
        };
        let quarter =
            [(0, 0.0), (1, 0.1), (4, 0.4), (5, 0.5), (6, 0.494_536_9), (12, 0.276_132_1), (19, 0.005_463_093_5)];
        check(0.25, 0.5, 20, &quarter);
        // A share that is no whole number of steps is rounded.
        check(0.23, 0.5, 20, &quarter);
        check(0.27, 0.5, 20, &quarter);
        let twentieth = [
            (0, 0.0),
            (1, 2e-5),
            (49, 9.8e-4),
            (50, 1e-3),
            (51, 9.999_973e-4),
            (500, 5.412_896e-4),
            (999, 2.741_813_9e-9),
        ];
        check(Schedule::USUAL_WARMUP, 1e-3, 1000, &twentieth);
        let alone = [2.0, 1.900_968_8, 1.623_489_7, 1.222_520_8, 0.777_478_93, 0.376_510_02, 0.099_031_09];
        check(0.0, 2.0, 7, &(0..).zip(alone).collect::<Vec<_>>());
    }

    #[test]
    fn every_step_has_a_rate_and_the_last_one_trains() {
        let largest = 1.0f32.next_down();
        for steps in [1, 2, 50, 999, u64::MAX] {
            for warmup in [0.0, 0.05, 0.5, largest] {
                let rate = |step| Schedule::Cosine { warmup }.learning_rate(1.0, step, steps);
                for step in [0, 1, steps / 20, steps / 2, steps - 1] {
                    assert!((0.0..=1.0).contains(&rate(step.min(steps - 1))), "{step} of {steps}, warm-up {warmup}");
                }
                assert!(rate(steps - 1) > 0.0 || steps == u64::MAX, "{steps}, warm-up {warmup}");
            }
        }
        assert_eq!(Schedule::default().learning_rate(0.3, 9, 10), 0.3);
    }
}
