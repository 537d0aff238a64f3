//! Sizes whose product wraps round to that of a short slice must not be believed: kernels would read beyond it.

use crate::support::{backends, refusal};
use thumbnet::{
    arch::Trainable,
    geometry::{Geometry, Shape},
};

/// Three times this is 1.
const THIRD: usize = usize::MAX / 3 * 2 + 1;

#[test]
fn of_a_convolution() {
    // Rows that are none, for Winograd's minimal filtering and for direct convolutions.
    let empty = Geometry {
        input: Shape::new(1 << (usize::BITS - 4), 16, 16),
        output: Shape::new(8, 8, 16),
        kernel: [5, 5],
        strides: [1, 1],
        padding: [2, 2],
    };
    let cases =
        [empty, Geometry { strides: [2, 2], ..empty }, Geometry { input: empty.output, output: empty.input, ..empty }];
    for g in cases {
        let pool = Geometry {
            input: g.output,
            output: Shape::new(4, 4, 16),
            kernel: [2, 2],
            strides: [2, 2],
            padding: [0, 0],
        };
        let len = |shape: Shape| shape.height.wrapping_mul(shape.width).wrapping_mul(shape.channels);
        let (x, kernel, mut scratch) = (vec![0.0; len(g.input)], vec![0.0; 25 * 16 * 16], vec![0.0; 1 << 20]);
        let (mut y, mut dx, mut dkernel) = (vec![0.0; len(g.output)], x.clone(), kernel.clone());
        for backend in backends() {
            let said = [
                refusal(|| backend.conv2d(&g, 1, &x, &kernel, None, false, &mut y, &mut scratch)),
                refusal(|| backend.conv2d_input_gradient(&g, 1, &y, &kernel, &mut dx, &mut scratch)),
                refusal(|| backend.conv2d_kernel_gradient(&g, 1, &x, &y, &mut dkernel, None, &mut scratch)),
            ];
            assert!(said.iter().all(|said| said.contains("1 times (")), "{}: {said:?}", backend.name());
            let mut pooled = vec![0.0; len(pool.output)];
            let said = refusal(|| {
                backend.conv2d_max_pool(&g, &pool, 1, &x, &kernel, None, false, &mut pooled, &mut scratch);
            });
            assert!(said.contains("1 times (") || said.contains("a convolution's output of ("), "{said}");
        }
    }
}

#[test]
fn of_a_pooling() {
    let (input, one) = (Shape::new(THIRD, 3, 1), Shape::new(1, 1, 1));
    let g = Geometry { input, output: one, kernel: [2, 2], strides: [1, 1], padding: [0, 0] };
    for backend in backends() {
        let said = refusal(|| backend.max_pool(&g, 1, &[0.0], &mut [0.0]));
        assert!(said.contains("1 times ("), "{}: {said}", backend.name());
        let said = refusal(|| backend.max_pool_gradient(&g, 1, &[0.0], &[0.0], &[0.0], &mut [0.0]));
        assert!(said.contains("1 times ("), "{}: {said}", backend.name());
    }
}

#[test]
fn of_a_dense_layer() {
    let mut scratch = vec![0.0; 1 << 20];
    for backend in backends() {
        let said = refusal(|| backend.dense(THIRD, 3, 3, &[0.0], &[0.0], None, false, &mut [0.0; 9], &mut scratch));
        assert!(said.contains("3 times ("), "{}: {said}", backend.name());
        let said = refusal(|| backend.dense_input_gradient(THIRD, 3, 3, &[0.0; 9], &[0.0], &mut [0.0], &mut scratch));
        assert!(said.contains("3 times ("), "{}: {said}", backend.name());
        let parameters = Trainable { weights: &mut [0.0], state: [&mut [], &mut []] };
        let update = |_, _: Trainable<'_>, _: &[f32]| {};
        let said = refusal(|| {
            backend.dense_kernel_gradient(THIRD, 3, 3, &[0.0], &[0.0; 9], parameters, &update, &mut scratch);
        });
        assert!(said.contains("3 times ("), "{}: {said}", backend.name());
        let said = refusal(|| backend.bias_gradient(3, THIRD, &[0.0], &mut [0.0; 3]));
        assert!(said.contains("times ("), "{}: {said}", backend.name());
    }
}
