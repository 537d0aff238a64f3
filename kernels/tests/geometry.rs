//! What is no geometry cannot be made, by any way, and what is one has sizes with which nothing wraps.

use thumbnet::{
    arch::{Backend, Cores},
    geometry::{Geometry, GeometryError, Padding, Shape},
};

/// SplitMix64, for reproducible cases.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A size of any magnitude, often next to a power of two, and often a small one.
    fn size(&mut self, small: bool) -> usize {
        let near = (self.next() % 3) as usize;
        match self.next() % 4 {
            _ if small => 1 + (self.next() % 16) as usize,
            0 => 1 + (self.next() % 16) as usize,
            1 => (self.next() >> (self.next() % 64)) as usize,
            _ => (1usize << (self.next() % u64::from(usize::BITS))).wrapping_add(near).wrapping_sub(1),
        }
    }
}

#[test]
fn refuses_sizes_that_wrap() {
    let most = usize::MAX;
    let half = 1 << (usize::BITS / 2);
    let four = Shape::new(4, 4, 1);
    for (input, channels, kernel, strides) in [
        (Shape::new(half, half, 1), 1, [1, 1], [1, 1]),
        (Shape::new(half, 1, half), 1, [1, 1], [1, 1]),
        (Shape::new(most / 3 * 2 + 1, 3, 1), 1, [1, 1], [1, 1]),
        (Shape::new(most, most, most), most, [1, 1], [most, most]),
        (four, most, [1, 1], [1, 1]),
        (four, half, [half, 1], [1, 1]),
        (four, 1, [most, 1], [1, 1]),
        (four, 1, [1, most], [1, 1]),
        (four, 1, [half, half], [1, 1]),
        (four, 8, [4, 4], [1, 1 << (usize::BITS - 2)]),
        (four, 8, [4, 4], [most, 1]),
        (four, 8, [4, 4], [half, half]),
        // Windows that reach too far together, none of them by itself.
        (Shape::new(half, 1, 1), 1, [1, half], [1, 1]),
    ] {
        let made = Geometry::new(input, channels, kernel, strides, Padding::Same);
        assert_eq!(made, Err(GeometryError::TooLarge), "{input} {channels} {kernel:?} {strides:?}");
        let made = Geometry::new(input, channels, kernel, strides, Padding::Valid);
        assert!(made.is_err(), "{input} {channels} {kernel:?} {strides:?}");
    }
}

/// The message says a power of two; the limit must be that.
#[test]
fn says_the_limit() {
    let power = if usize::BITS < 64 { 29 } else { 43 };
    assert_eq!(Geometry::LIMIT, (1 << power) - 1);
    assert!(GeometryError::TooLarge.message().contains(&format!("2^{power}")));
    let new = |len| Geometry::new(Shape::new(1, len, 1), 1, [1, 1], [1, 1], Padding::Same);
    assert!(new(Geometry::LIMIT).is_ok());
    assert_eq!(new(Geometry::LIMIT + 1), Err(GeometryError::TooLarge));
}

/// What `sequential!` says at compile time.
#[test]
fn a_network_names_the_layer_that_is_too_large() {
    use thumbnet::network::define;
    let said = |call: fn() -> Shape| {
        let panic = std::panic::catch_unwind(call).expect_err("this must be refused");
        panic.downcast_ref::<String>().cloned().unwrap_or_default()
    };
    let text =
        said(|| define::window("conv", "Conv2D", Shape::new(4, 4, 1), 8, [4, 4], [1, usize::MAX], Padding::Same));
    let sizes = format!("(kernel 4x4, strides 1x{}, input 4x4x1)", usize::MAX);
    assert!(text.starts_with("layer `conv` (Conv2D): ") && text.ends_with(&sizes), "{text}");
    let text = said(|| define::input("Net", 1 << (usize::BITS / 2), 1 << (usize::BITS / 2), 1));
    assert!(text.contains("`Net`") && text.contains(&Geometry::LIMIT.to_string()), "{text}");
}

/// Of whatever can be made, every window reads inputs, and all products of sizes and all lengths of scratch are sizes
/// of memory. (They also take no time: images of 2^43 values are among these.)
#[test]
fn nothing_wraps_that_follows_from_a_geometry() {
    let mut random = Random(1);
    let (mut made, mut large) = (0, 0);
    let fits = |len: usize| assert!(len <= isize::MAX as usize / 4, "{len} values");
    let product = |sizes: &[usize]| sizes.iter().map(|&size| size as u128).product::<u128>();
    for case in 0..400_000u32 {
        let mut size = |bit: u32| random.size(case >> bit & 1 == 1);
        let input = Shape::new(size(0), size(1), size(2));
        let (channels, kernel, strides) = (size(3), [size(4), size(5)], [size(6), size(7)]);
        let padding = if size(8) & 1 == 0 { Padding::Same } else { Padding::Valid };
        let Ok(g) = Geometry::new(input, channels, kernel, strides, padding) else { continue };
        made += 1;
        large += u32::from(g.input().len() > 1 << 32);
        let limit = Geometry::LIMIT as u128;
        let output = g.output();
        let mut padded = input.channels as u128;
        for (outputs, inputs, axis) in [(output.height, input.height, 0), (output.width, input.width, 1)] {
            let last = (outputs as u128 - 1) * strides[axis] as u128;
            assert!(last < inputs as u128 + g.padding()[axis] as u128 && g.padding()[axis] < kernel[axis], "{g}");
            padded *= (last + kernel[axis] as u128).max(inputs as u128);
        }
        assert!(padded <= limit && product(&[output.height, output.width, channels]) <= limit, "{g}");
        assert!(product(&[kernel[0], kernel[1], input.channels, channels]) <= limit, "{g}");

        let pool = Geometry::new(output, channels, [size(0), size(1)], [size(2), size(3)], Padding::Same).ok();
        let pool = pool.filter(|pool| {
            let rows = (pool.kernel()[0] as u128 - 1) * strides[0] as u128 + kernel[0] as u128;
            let columns = (output.width as u128 - 1) * strides[1] as u128 + kernel[1] as u128;
            rows * columns * input.channels as u128 <= limit
        });
        fits(Backend::conv_s8_scratch_len(&g, None));
        fits(Backend::conv_s8_scratch_len(&g, pool.as_ref()));
        [0, 1, 50].into_iter().for_each(|batch| fits(Backend::conv2d_scratch_len(&g, batch)));
        let _ = Backend::conv2d_scratch_len(&g, usize::MAX);
        if let Some(pool) = &pool {
            let _ = Backend::fuses_max_pool(&g, pool);
            fits(Backend::conv2d_max_pool_scratch_len(&g, pool));
        }
        for cores in Cores::ALL {
            fits(cores.conv_s8_scratch_len(&g, None));
            fits(cores.conv_s8_scratch_len(&g, pool.as_ref()));
        }
    }
    assert!(made > 10_000 && large > 1000, "{made} geometries, {large} large ones");
}

/// A pooling of something else, or one whose windows reach more of the convolution's input than can be.
#[test]
fn scratch_is_for_poolings_of_the_convolution() {
    let g = Geometry::new(Shape::new(8, 8, 1), 2, [3, 3], [1, 1], Padding::Same).unwrap();
    let far = Geometry::new(Shape::new(8, 8, 2), 2, [Geometry::LIMIT / 32, 1], [1, 1], Padding::Same).unwrap();
    let strided = Geometry::new(Shape::new(800, 8, 1), 2, [3, 3], [100, 1], Padding::Same).unwrap();
    assert_eq!(strided.output(), g.output());
    let other = Geometry::new(Shape::new(8, 9, 2), 2, [2, 2], [2, 2], Padding::Same).unwrap();
    let channels = Geometry::new(Shape::new(8, 8, 2), 3, [2, 2], [2, 2], Padding::Same).unwrap();
    for (g, pool) in [(g, other), (g, channels), (strided, far)] {
        let asked = std::panic::catch_unwind(|| Backend::conv_s8_scratch_len(&g, Some(&pool)));
        assert!(asked.is_err(), "{g}; {pool}");
        for cores in Cores::ALL {
            let asked = std::panic::catch_unwind(|| cores.conv_s8_scratch_len(&g, Some(&pool)));
            assert!(asked.is_err(), "{cores:?} {g}; {pool}");
        }
    }
}

/// Files hold input, output, kernel, strides and padding, and what is read from them is checked.
#[cfg(feature = "alloc")]
#[test]
fn a_file_gives_no_other_geometry() {
    type Sizes = [usize; 12];
    let encoded = |sizes: &Sizes| postcard::to_allocvec(sizes).unwrap();
    let sizes = |g: &Geometry| {
        let ([a, b], [c, d], [e, f]) = (g.kernel(), g.strides(), g.padding());
        let (x, y) = (g.input(), g.output());
        [x.height, x.width, x.channels, y.height, y.width, y.channels, a, b, c, d, e, f]
    };
    let mut random = Random(2);
    let mut refused = 0;
    for _ in 0..1000 {
        let mut size = || random.size(true);
        let (input, channels) = (Shape::new(size(), size(), size()), size());
        let (kernel, strides) = ([size(), size()], [size(), size()]);
        let padding = if random.next() & 1 == 0 { Padding::Same } else { Padding::Valid };
        let Ok(g) = Geometry::new(input, channels, kernel, strides, padding) else { continue };
        let bytes = encoded(&sizes(&g));
        assert_eq!(postcard::to_allocvec(&g).unwrap(), bytes);
        assert_eq!(postcard::from_bytes(&bytes), Ok(g));
        // With any other number, it is another geometry that could have been made, or none.
        for i in 0..12 {
            let mut others = sizes(&g);
            others[i] = random.size(false);
            match postcard::from_bytes::<Geometry>(&encoded(&others)) {
                Ok(other) => {
                    let made = [Padding::Same, Padding::Valid].map(|padding| {
                        let (input, output) = (other.input(), other.output());
                        Geometry::new(input, output.channels, other.kernel(), other.strides(), padding)
                    });
                    assert!(made.contains(&Ok(other)) && sizes(&other) == others, "{other}");
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 1000, "{refused}");
}
