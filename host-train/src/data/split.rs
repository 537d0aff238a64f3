//! One set of samples becomes a training and a test half.

use rand::{SeedableRng, seq::SliceRandom};
use rand_pcg::Pcg64Mcg;

use super::{Dataset, DatasetError, Targets};

/// Draws how samples are split and ordered: always the same way, so that `train` and `evaluate` see the same halves.
const SEED: u64 = 0x7468_756d_626e_6574;

/// What a network is fitted to, and what it is judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct Halves {
    /// What the weights are fitted to.
    pub train: Dataset,
    /// What they are judged by.
    pub test: Dataset,
    /// What a person should know of how the data were read; a sentence each.
    pub notes: Vec<String>,
}

impl Halves {
    /// Two halves of which there is nothing to say.
    pub fn new(train: Dataset, test: Dataset) -> Self {
        Self { train, test, notes: Vec::new() }
    }
}

impl Dataset {
    /// A test half of `share` of the samples, and a training half of the others: of every class the same share, as
    /// nearly as whole samples allow, and of every class one at least in the training half. Both stand in an order that
    /// is drawn, from a fixed seed: the same samples give the same halves.
    ///
    /// # Errors
    ///
    /// [`DatasetError::Share`] where the share is not above 0 and below 1, [`DatasetError::Split`] where there are too
    /// few samples for two halves.
    pub fn split(&self, share: f64) -> Result<Halves, DatasetError> {
        self.split_whole(share, &(0..self.len()).collect::<Vec<_>>())
    }

    /// The same, where all samples with the same number in `units` stay in one half: those of one recording, or of
    /// windows that share rows.
    pub(super) fn split_whole(&self, share: f64, units: &[usize]) -> Result<Halves, DatasetError> {
        if !(share > 0.0 && share < 1.0) {
            return Err(DatasetError::Share { share });
        }
        let order = drawn(self.len());
        let is_test = self.tested(share, units, &order);
        let (test, train): (Vec<usize>, Vec<usize>) = order.iter().partition(|&&sample| is_test[units[sample]]);
        if test.is_empty() || train.is_empty() {
            return Err(DatasetError::Split { samples: self.len() });
        }
        Ok(Halves::new(self.select(&train), self.select(&test)))
    }

    /// The same samples in an order that is drawn, always the same.
    pub(super) fn shuffled(&self) -> Self {
        self.select(&drawn(self.len()))
    }

    /// Which units belong to the test: one after the other, in the order in which a sample of theirs was drawn, those
    /// that bring the classes nearer to their share. Then, for classes that have none there yet, the smallest. Never
    /// one without which a class had nothing to train on.
    fn tested(&self, share: f64, units: &[usize], order: &[usize]) -> Vec<bool> {
        let class = |sample: usize| match self.targets() {
            Targets::Classes(classes) => classes[sample],
            Targets::Values { .. } => 0,
        };
        // Classes have numbers without gaps here, whatever theirs are.
        let mut names: Vec<usize> = (0..self.len()).map(class).collect();
        names.sort_unstable();
        names.dedup();
        let class = |sample| names.binary_search(&class(sample)).expect("it is one of them");
        let mut left = vec![0_usize; names.len()];
        let mut members = vec![Vec::new(); units.iter().max().map_or(0, |most| most + 1)];
        for (sample, &unit) in units.iter().enumerate() {
            left[class(sample)] += 1;
            members[unit].push(class(sample));
        }
        let members: Vec<Vec<(usize, usize)>> = members.into_iter().map(counted).collect();
        let wanted: Vec<f64> = left.iter().map(|&count| share * count as f64).collect();
        let mut taken = vec![0_usize; names.len()];
        let mut is_test = vec![false; members.len()];
        let mut is_seen = vec![false; members.len()];
        let mut drawn: Vec<usize> = order.iter().map(|&sample| units[sample]).collect();
        drawn.retain(|&unit| !std::mem::replace(&mut is_seen[unit], true));
        for is_last in [false, true] {
            for &unit in &drawn {
                let counts = &members[unit];
                let nearer = counts.iter().map(|&(class, count)| {
                    let (before, after) = (taken[class] as f64, (taken[class] + count) as f64);
                    (wanted[class] - before).abs() - (wanted[class] - after).abs()
                });
                let is_called_for = match is_last {
                    false => nearer.sum::<f64>() > 0.0,
                    true => counts.iter().any(|&(class, _)| taken[class] == 0),
                };
                let leaves_some = counts.iter().all(|&(class, count)| count < left[class]);
                if is_called_for && leaves_some && !is_test[unit] {
                    is_test[unit] = true;
                    for &(class, count) in counts {
                        taken[class] += count;
                        left[class] -= count;
                    }
                }
            }
            drawn.sort_by_key(|&unit| members[unit].iter().map(|(_, count)| count).sum::<usize>());
        }
        is_test
    }
}

/// The classes and how often each is there.
fn counted(mut classes: Vec<usize>) -> Vec<(usize, usize)> {
    classes.sort_unstable();
    classes.chunk_by(|a, b| a == b).map(|equal| (equal[0], equal.len())).collect()
}

/// The numbers below `len` in the order that is drawn.
fn drawn(len: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    order.shuffle(&mut Pcg64Mcg::seed_from_u64(SEED));
    order
}

#[cfg(test)]
mod tests {
    use thumbnet::geometry::Shape;

    use super::*;
    use crate::data::Samples;

    /// Samples of one value, which is their number.
    fn samples(classes: Vec<usize>) -> Dataset {
        Dataset::from_values(Shape::vector(1), (0..classes.len()).map(|i| i as f32).collect(), classes).unwrap()
    }

    fn numbers(data: &Dataset) -> Vec<usize> {
        let mut value = [0.0];
        let number = |index| {
            data.read(index, &mut value);
            value[0] as usize
        };
        (0..data.len()).map(number).collect()
    }

    fn classes(data: &Dataset) -> Vec<(usize, usize)> {
        let Targets::Classes(classes) = data.targets() else { panic!("they have classes") };
        counted(classes.clone())
    }

    /// Every sample is in one half, every class has its share, and the rarest is in both if it can be.
    #[test]
    fn the_halves_have_each_classs_share() {
        let data = samples([vec![0; 50], vec![7; 20], vec![3; 2], vec![9]].concat());
        let halves = data.split(0.2).unwrap();
        assert_eq!(classes(&halves.test), [(0, 10), (3, 1), (7, 4)]);
        assert_eq!(classes(&halves.train), [(0, 40), (3, 1), (7, 16), (9, 1)]);
        assert_eq!(halves, data.split(0.2).unwrap(), "the same in every command");
        let mut all = [numbers(&halves.train), numbers(&halves.test)].concat();
        assert!(!all.is_sorted(), "in an order that is drawn");
        all.sort_unstable();
        assert_eq!(all, (0..73).collect::<Vec<_>>());
        // A share that is no whole number of samples is rounded.
        assert_eq!(samples(vec![0; 8]).split(0.2).unwrap().test.len(), 2);
        assert_eq!(samples(vec![0; 7]).split(0.2).unwrap().test.len(), 1);
    }

    #[test]
    fn a_recording_stays_in_one_half() {
        // Five recordings of two gestures, ten windows each.
        let data = samples((0..50).map(|i| i / 5 % 2).collect());
        let units: Vec<usize> = (0..50).map(|i| i / 10).collect();
        let halves = data.split_whole(0.2, &units).unwrap();
        assert_eq!((classes(&halves.test), halves.train.len()), (vec![(0, 5), (1, 5)], 40));
        let mut recordings: Vec<_> = numbers(&halves.test).iter().map(|number| number / 10).collect();
        recordings.dedup();
        assert_eq!(recordings.len(), 1);
        // Of two recordings, the smaller is the test.
        let units: Vec<usize> = (0..50).map(|i| usize::from(i >= 40)).collect();
        assert_eq!(data.split_whole(0.1, &units).unwrap().test.len(), 10);
        let units: Vec<usize> = (0..50).map(|i| i / 25).collect();
        assert_eq!(data.split_whole(0.2, &units).unwrap().test.len(), 25);
    }

    #[test]
    fn what_cannot_be_split_is_refused() {
        let text = |data: &Dataset, share: f64| data.split(share).unwrap_err().to_string();
        assert!(text(&samples(vec![0, 1, 2]), 0.5).starts_with("3 samples cannot be split"));
        assert!(samples(vec![0, 0]).split_whole(0.5, &[0, 0]).is_err());
        for share in [0.0, 1.0, -0.1, f64::NAN] {
            let text = text(&samples(vec![0, 0]), share);
            assert_eq!(text, format!("a share of {share} for the test is not above 0 and below 1"));
        }
    }
}
