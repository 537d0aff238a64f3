//! How raw values are scaled for a network.

use thumbnet::input::Scaling;

use super::Samples;

/// How raw values become a network's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// 0 to 255 becomes 0 to 1.
    Unit,
    /// Each channel's mean becomes 0, its standard deviation 1.
    Standard,
    /// They are the input as they are.
    None,
}

impl Scale {
    /// What suits most data: [`Unit`](Self::Unit) for bytes, else [`Standard`](Self::Standard).
    pub fn usual(data: &dyn Samples) -> Self {
        if data.bytes(0).is_some() { Self::Unit } else { Self::Standard }
    }
}

/// The scaling of a data set's channels, or the one that all of them have: of the last axis of its shape, as Keras's
/// `Normalization` has it by default. Mean and deviation (of the population) are those of all samples, which are the
/// training half's where a network is to be judged honestly. A channel that never changes is divided by 1.
pub fn fit(data: &dyn Samples, scale: Scale) -> Vec<Scaling> {
    match scale {
        Scale::Unit => vec![Scaling::UNIT],
        Scale::None => vec![Scaling::NONE],
        Scale::Standard => standard(data),
    }
}

fn standard(data: &dyn Samples) -> Vec<Scaling> {
    let channels = data.shape().channels;
    let mut first = vec![0.0; data.shape().len()];
    data.read(0, &mut first);
    let count = (data.len() * first.len() / channels) as f64;
    let mut sample = first.clone();
    let mut for_each = |work: &mut dyn FnMut(usize, f32)| {
        for index in 0..data.len() {
            data.read(index, &mut sample);
            for values in sample.chunks_exact(channels) {
                values.iter().enumerate().for_each(|(channel, &value)| work(channel, value));
            }
        }
    };
    // Two passes: the squares of differences from the mean keep their digits where the mean is large.
    let mut means = vec![0.0; channels];
    let mut changes = vec![false; channels];
    for_each(&mut |channel, value| {
        means[channel] += f64::from(value) / count;
        changes[channel] |= value != first[channel];
    });
    let mut variances = vec![0.0; channels];
    for_each(&mut |channel, value| variances[channel] += (f64::from(value) - means[channel]).powi(2) / count);
    let scaling = |channel: usize| {
        let deviation = variances[channel].sqrt() as f32;
        // What f32 has no number for counts as no change.
        let deviation = if changes[channel] && deviation.is_normal() { deviation } else { 1.0 };
        Scaling { mean: means[channel] as f32, deviation }
    };
    (0..channels).map(scaling).collect()
}

#[cfg(test)]
mod tests {
    use thumbnet::geometry::Shape;

    use super::*;
    use crate::data::Dataset;

    /// ```python
    /// layer = keras.layers.Normalization(); layer.adapt(x.reshape(3, 2, 1, 2)); layer.mean, layer.variance
    /// ```
    /// gives the same but for the constant channel, which Keras divides by its epsilon, 1e-7.
    #[test]
    fn each_channel_has_its_own_mean_and_deviation() {
        let values = vec![1.0, 1e6, 2.0, 1e6, 3.0, 1e6, 4.0, 1e6, 5.0, 1e6, 9.0, 1e6];
        let data = Dataset::from_values(Shape::new(2, 1, 2), values, vec![0; 3]).unwrap();
        assert_eq!(Scale::usual(&data), Scale::Standard);
        let [first, second] = fit(&data, Scale::Standard).try_into().unwrap();
        // Sum 24, and 9 + 4 + 1 + 0 + 1 + 25 = 40 over 6.
        assert_eq!(first, Scaling { mean: 4.0, deviation: (40.0_f64 / 6.0).sqrt() as f32 });
        // Whose mean is not exact: no change is no change.
        assert_eq!(second, Scaling { mean: 1e6, deviation: 1.0 });
        assert_eq!(fit(&data, Scale::Unit), [Scaling::UNIT]);
        assert_eq!(fit(&data, Scale::None), [Scaling::NONE]);
    }

    #[test]
    fn bytes_are_scaled_to_one() {
        let data = Dataset::new(Shape::new(1, 2, 1), vec![0, 10, 20, 30], vec![0, 1]);
        assert_eq!(Scale::usual(&data), Scale::Unit);
        let standard = fit(&data, Scale::Standard);
        assert_eq!(standard, [Scaling { mean: 15.0, deviation: 125.0_f32.sqrt() }]);
    }
}
