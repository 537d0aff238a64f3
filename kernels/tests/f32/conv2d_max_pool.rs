//! A convolution and the max pooling of its output in one pass, which must be the bits of one after the other. Those
//! are held against the formula elsewhere.

use crate::support::{Random, backends, bits, poison};
use thumbnet::{
    arch::Backend,
    geometry::{Geometry, Padding, Shape},
};

/// Values around what is written, that no one may touch.
const FRAME: usize = 64;

fn check(g: &Geometry, pool: &Geometry, batch: usize, random: &mut Random) {
    let (x, kernel) = (random.values(batch * g.input().len()), random.values(g.patch() * g.output().channels));
    let bias = random.values(g.output().channels);
    for backend in backends() {
        for (bias, relu) in [(Some(&*bias), true), (Some(&bias), false), (None, true)] {
            let mut scratch = poison(Backend::conv2d_scratch_len(g, batch));
            let (mut convolved, mut want) = (poison(batch * g.output().len()), poison(batch * pool.output().len()));
            backend.conv2d(g, batch, &x, &kernel, bias, relu, &mut convolved, &mut scratch);
            backend.max_pool(pool, batch, &convolved, &mut want);

            let needed = Backend::conv2d_max_pool_scratch_len(g, pool);
            let (mut got, mut scratch) = (poison(want.len() + 2 * FRAME), poison(needed + 2 * FRAME));
            let (y, inner) = (&mut got[FRAME..][..want.len()], &mut scratch[FRAME..][..needed]);
            backend.conv2d_max_pool(g, pool, batch, &x, &kernel, bias, relu, y, inner);
            let what = format!("{} batch {batch} relu {relu} {g:?} {pool:?}", backend.name());
            assert!(bits(y) == bits(&want), "{what}");
            for (values, len) in [(got, want.len()), (scratch, needed)] {
                let framed = values[..FRAME].iter().chain(&values[FRAME + len..]).all(|value| value.is_nan());
                assert!(framed, "{what}: written beyond the end");
            }
        }
    }
}

/// Any window over any convolution: windows that overlap in columns, that leave inputs out, that hang over the padding.
#[test]
pub(crate) fn equals_one_after_the_other() {
    let mut random = Random(31);
    let mut cases = 0;
    for case in 0..1000 {
        let most = if case % 4 == 0 { 40 } else { 9 };
        let (channels, filters) = (random.between(1, most), random.between(1, most));
        let g = random.geometry(channels, filters);
        let pool = random.geometry_over(g.output(), filters);
        if Backend::fuses_max_pool(&g, &pool) {
            let batch = random.between(1, 7);
            check(&g, &pool, batch, &mut random);
            cases += 1;
        }
    }
    assert!(cases > 200, "{cases} cases");
}

/// Images of more than a band, at which threads and bands cut samples in rows.
#[test]
pub(crate) fn equals_one_after_the_other_in_several_bands() {
    let mut random = Random(32);
    for (height, width, filters, window, stride, padding) in [
        (70, 50, 33, [2, 2], [2, 2], Padding::Same),
        (70, 50, 33, [2, 2], [2, 2], Padding::Valid),
        (61, 64, 24, [3, 3], [3, 2], Padding::Same),
        (64, 64, 20, [1, 5], [1, 1], Padding::Same),
        (40, 90, 40, [2, 2], [5, 5], Padding::Valid),
        // One row of the pooled output is more than a band.
        (12, 600, 60, [3, 3], [3, 3], Padding::Same),
        // Several samples a band.
        (9, 7, 20, [2, 2], [2, 2], Padding::Valid),
    ] {
        for stride_of_conv in [1, 2] {
            let shape = Shape::new(height, width, 2);
            let g = Geometry::new(shape, filters, [3, 3], [stride_of_conv; 2], Padding::Same).unwrap();
            let pool = Geometry::new(g.output(), filters, window, stride, padding).unwrap();
            assert!(Backend::fuses_max_pool(&g, &pool), "{pool:?}");
            [1, 3, 60].into_iter().filter(|batch| batch * g.output().len() < 500_000).for_each(|batch| {
                check(&g, &pool, batch, &mut random);
            });
        }
    }
}

/// Whole blocks of channels, which vector back ends convolve by Winograd's minimal filtering: windows that hang over,
/// images whose last row or column no window holds, tiles of which nothing is stored.
#[test]
pub(crate) fn equals_one_after_the_other_in_tiles() {
    let mut random = Random(33);
    for (height, width, taps) in
        [(14, 14, 5), (13, 15, 5), (9, 24, 5), (5, 7, 5), (17, 13, 3), (13, 38, 3), (19, 18, 3)]
    {
        for (of_conv, of_pool) in [
            (Padding::Same, Padding::Same),
            (Padding::Same, Padding::Valid),
            (Padding::Valid, Padding::Same),
            (Padding::Valid, Padding::Valid),
        ] {
            let (channels, filters) = (16 * random.between(1, 3), 16 * random.between(1, 4));
            let shape = Shape::new(height, width, channels);
            let g = Geometry::new(shape, filters, [taps; 2], [1, 1], of_conv).unwrap();
            for (window, strides) in [([2, 2], [2, 2]), ([3, 3], [3, 3]), ([2, 2], [3, 2]), ([1, 2], [2, 2])] {
                let Ok(pool) = Geometry::new(g.output(), filters, window, strides, of_pool) else { continue };
                assert!(Backend::fuses_max_pool(&g, &pool) || (window, strides) != ([2, 2], [2, 2]));
                if Backend::fuses_max_pool(&g, &pool) {
                    check(&g, &pool, 1, &mut random);
                    let batch = random.between(2, 9);
                    check(&g, &pool, batch, &mut random);
                }
            }
        }
    }
}

/// Rows that windows share would be convolved twice; Winograd's tiles hold windows of 2 x 2 alone.
#[test]
fn leaves_alone_what_it_would_do_twice() {
    let shape = Shape::new(14, 14, 4);
    let g = Geometry::new(shape, 4, [3, 3], [1, 1], Padding::Same).unwrap();
    let pool = |kernel, strides| Geometry::new(g.output(), 4, kernel, strides, Padding::Valid).unwrap();
    assert!(!Backend::fuses_max_pool(&g, &pool([3, 3], [2, 2])));
    assert!(Backend::fuses_max_pool(&g, &pool([2, 3], [2, 2])));
}

/// What is no number must not hide behind a pooling or a ReLU, nor show where it did not before.
#[test]
fn treats_nan_as_one_after_the_other() {
    let mut random = Random(34);
    for channels in [3, 16] {
        let g = Geometry::new(Shape::new(12, 12, channels), 32, [5, 5], [1, 1], Padding::Same).unwrap();
        let pool = Geometry::new(g.output(), 32, [2, 2], [2, 2], Padding::Same).unwrap();
        let (mut x, mut kernel) = (random.values(2 * g.input().len()), random.values(g.patch() * 32));
        x[3] = f32::NAN;
        kernel[32 * 7 + 5] = f32::NAN;
        for backend in backends() {
            let mut scratch =
                poison(Backend::conv2d_scratch_len(&g, 2) + Backend::conv2d_max_pool_scratch_len(&g, &pool));
            let (mut convolved, mut want) = (poison(2 * g.output().len()), poison(2 * pool.output().len()));
            backend.conv2d(&g, 2, &x, &kernel, None, true, &mut convolved, &mut scratch);
            assert!(convolved.iter().any(|value| value.is_nan()));
            backend.max_pool(&pool, 2, &convolved, &mut want);
            let mut got = poison(want.len());
            backend.conv2d_max_pool(&g, &pool, 2, &x, &kernel, None, true, &mut got, &mut scratch);
            assert!(bits(&got) == bits(&want), "{}, {channels} channels", backend.name());
        }
    }
}
