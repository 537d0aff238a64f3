//! Sizes whose product wraps round to that of a short slice must not be believed: kernels would read beyond it. The
//! panic says which sizes they are. An empty batch is none of these.

use crate::support::{backends, refusal};
use std::sync::Mutex;
use thumbnet::{
    arch::{BLOCK_ROWS, Backend, Trainable},
    geometry::{Geometry, Padding, Shape},
};

/// Three times this is 1.
const THIRD: usize = usize::MAX / 3 * 2 + 1;

/// Convolutions of 3 inputs to 3 outputs, and one that Winograd's minimal filtering takes, with how often the latter's
/// samples come to none.
fn convolutions() -> [(Geometry, usize, usize); 2] {
    let direct = Geometry::new(Shape::new(3, 1, 1), 1, [1, 1], [1, 1], Padding::Same).unwrap();
    let tiles = Geometry::new(Shape::new(8, 8, 16), 16, [5, 5], [1, 1], Padding::Same).unwrap();
    [(direct, THIRD, 1), (tiles, 1 << (usize::BITS - 10), 0)]
}

#[test]
fn of_a_convolution() {
    for (g, batch, len) in convolutions() {
        let kernel = vec![0.0; g.patch() * g.output().channels];
        let (x, mut scratch) = (vec![0.0; len], vec![0.0; 1 << 20]);
        let (mut y, mut dx, mut dkernel) = (x.clone(), x.clone(), kernel.clone());
        let named = format!("{batch} times {}", g.input());
        for backend in backends() {
            let said = [
                refusal(|| backend.conv2d(&g, batch, &x, &kernel, None, false, &mut y, &mut scratch)),
                refusal(|| backend.conv2d_input_gradient(&g, batch, &y, &kernel, &mut dx, &mut scratch)),
                refusal(|| backend.conv2d_kernel_gradient(&g, batch, &x, &y, &mut dkernel, None, &mut scratch)),
            ];
            assert!(said.iter().all(|said| said.contains(&named)), "{}: {said:?}", backend.name());
            let pool = Geometry::new(g.output(), g.output().channels, [2, 2], [2, 2], Padding::Same).unwrap();
            let said = refusal(|| {
                backend.conv2d_max_pool(&g, &pool, batch, &x, &kernel, None, false, &mut y, &mut scratch);
            });
            assert!(said.contains(&named), "{}: {said}", backend.name());
        }
    }
}

/// A pooling of another convolution's output would be read beyond this one's.
#[test]
fn of_a_pooling_of_something_else() {
    let g = Geometry::new(Shape::new(8, 8, 1), 2, [3, 3], [1, 1], Padding::Same).unwrap();
    let (x, kernel, mut scratch) = (vec![0.0; 64], vec![0.0; 18], vec![0.0; 1 << 22]);
    for (input, channels) in [(Shape::new(80, 8, 2), 2), (Shape::new(8, 80, 2), 2), (Shape::new(8, 8, 3), 3)] {
        let pool = Geometry::new(input, channels, [2, 2], [2, 2], Padding::Same).unwrap();
        let mut y = vec![0.0; pool.output().len()];
        for backend in backends() {
            let said = refusal(|| {
                backend.conv2d_max_pool(&g, &pool, 1, &x, &kernel, None, false, &mut y, &mut scratch);
            });
            assert!(said.contains(&g.to_string()) && said.contains(&pool.to_string()), "{}: {said}", backend.name());
        }
    }
}

#[test]
fn of_a_pooling() {
    let g = Geometry::new(Shape::new(3, 1, 1), 1, [1, 1], [1, 1], Padding::Same).unwrap();
    let other = Geometry::new(Shape::new(3, 1, 1), 2, [1, 1], [1, 1], Padding::Same).unwrap();
    let named = format!("{THIRD} times (3, 1, 1)");
    for backend in backends() {
        let said = refusal(|| backend.max_pool(&g, THIRD, &[0.0], &mut [0.0]));
        assert!(said.contains(&named), "{}: {said}", backend.name());
        let said = refusal(|| backend.max_pool_gradient(&g, THIRD, &[0.0], &[0.0], &[0.0], &mut [0.0]));
        assert!(said.contains(&named), "{}: {said}", backend.name());
        let said = refusal(|| backend.max_pool(&other, 1, &[0.0; 3], &mut [0.0; 6]));
        assert!(said.contains(&other.to_string()), "{}: {said}", backend.name());
    }
}

#[test]
fn of_a_dense_layer() {
    let mut scratch = vec![0.0; 1 << 20];
    let update = |_, _: Trainable<'_>, _: &[f32]| {};
    for backend in backends() {
        let name = backend.name();
        let said = refusal(|| backend.dense(THIRD, 3, 3, &[0.0], &[0.0], None, false, &mut [0.0; 9], &mut scratch));
        assert!(said.contains("3 times ("), "{name}: {said}");
        let said = refusal(|| backend.dense_input_gradient(THIRD, 3, 3, &[0.0; 9], &[0.0], &mut [0.0], &mut scratch));
        assert!(said.contains("3 times ("), "{name}: {said}");
        let parameters = Trainable { weights: &mut [0.0], state: [&mut [], &mut []] };
        let said = refusal(|| {
            backend.dense_kernel_gradient(THIRD, 3, 3, &[0.0], &[0.0; 9], parameters, &update, &mut scratch);
        });
        assert!(said.contains("3 times ("), "{name}: {said}");
        let said = refusal(|| backend.bias_gradient(3, THIRD, &[0.0], &mut [0.0; 3]));
        assert!(said.contains("times ("), "{name}: {said}");
        for (inputs, units) in [(0, 3), (3, 0), (0, 0)] {
            let said = refusal(|| backend.dense(inputs, units, 0, &[], &[], None, false, &mut [], &mut scratch));
            assert!(said.contains(&format!("{inputs} inputs and {units} units")), "{name}: {said}");
        }
        assert!(refusal(|| backend.bias_gradient(0, 3, &[], &mut [])).contains("no values"));
        assert!(refusal(|| backend.softmax(0, &mut [])).contains("0 classes"));
    }
}

/// Lengths of scratch that no slice has are refused, not wrapped round.
// The scalar kernels work in a block whose size no batch changes.
#[cfg(thumbnet_x86)]
#[test]
fn of_scratch() {
    for sizes in [[usize::MAX; 3], [1, 1, usize::MAX], [1, usize::MAX, 1], [usize::MAX, 1, 1], [1, THIRD, 3]] {
        let [inputs, units, batch] = sizes;
        let needed = Backend::dense_scratch_len(inputs, units, batch);
        assert!(needed > isize::MAX as usize / 4, "{sizes:?}: {needed}");
    }
    for (shape, batch) in [(Shape::vector(usize::MAX), 0), (Shape::new(3, THIRD, usize::MAX), 3)] {
        let needed = Backend::batch_normalization_scratch_len(shape, batch);
        assert!(needed > isize::MAX as usize / 4, "{shape}: {needed}");
    }
}

/// An empty batch has no outputs; its gradients are zero.
#[test]
fn of_nothing() {
    // Axes of one block and of several.
    let dense = [(3 * BLOCK_ROWS + 1, 37), (1000, 37), (60, 4100)];
    for (backend, (inputs, units)) in backends().into_iter().flat_map(|backend| dense.map(|sizes| (backend, sizes))) {
        let mut scratch = vec![f32::NAN; Backend::dense_scratch_len(inputs, units, 0)];
        let mut weights = vec![1.0; inputs * units];
        backend.dense(inputs, units, 0, &[], &weights, None, true, &mut [], &mut scratch);
        backend.dense_input_gradient(inputs, units, 0, &[], &weights, &mut [], &mut scratch);
        let parameters = Trainable { weights: &mut weights, state: [&mut [], &mut []] };
        let gradient = Mutex::new(vec![f32::NAN; inputs * units]);
        let update = |first: usize, _: Trainable<'_>, part: &[f32]| {
            gradient.lock().unwrap()[first..][..part.len()].copy_from_slice(part);
        };
        backend.dense_kernel_gradient(inputs, units, 0, &[], &[], parameters, &update, &mut scratch);
        assert!(gradient.lock().unwrap().iter().all(|&gradient| gradient == 0.0), "{}", backend.name());
        for (g, ..) in convolutions() {
            let mut scratch = vec![f32::NAN; Backend::conv2d_scratch_len(&g, 0)];
            let kernel = vec![1.0; g.patch() * g.output().channels];
            let (mut dkernel, mut dbias) = (vec![f32::NAN; kernel.len()], vec![f32::NAN; g.output().channels]);
            backend.conv2d(&g, 0, &[], &kernel, None, true, &mut [], &mut scratch);
            backend.conv2d_input_gradient(&g, 0, &[], &kernel, &mut [], &mut scratch);
            backend.conv2d_kernel_gradient(&g, 0, &[], &[], &mut dkernel, Some(&mut dbias), &mut scratch);
            assert!(dkernel.iter().chain(&dbias).all(|&gradient| gradient == 0.0), "{} {g}", backend.name());
        }
    }
}
