use crate::support::{Random, assert_close, backends, bits, refusal};
use thumbnet::geometry::Shape;

/// One product rounds once, in any order; a gradient of a factor that was repeated is a sum.
#[test]
pub(crate) fn products_equal_the_formula() {
    let mut random = Random(51);
    for _ in 0..200 {
        let (batch, width, times) = (random.between(1, 4), random.between(1, 40), random.between(1, 30));
        let len = width * times;
        let (a, b, dy) = (random.values(batch * len), random.values(batch * width), random.values(batch * len));
        let factor = |i: usize| b[i / len * width + i % width];
        let want: Vec<f32> = (0..a.len()).map(|i| a[i] * factor(i)).collect();
        let da: Vec<_> = (0..a.len()).map(|i| dy[i] * factor(i)).collect();
        let mut db = vec![(0.0, 0.0); b.len()];
        for i in 0..a.len() {
            let product = f64::from(dy[i]) * f64::from(a[i]);
            let (sum, size) = &mut db[i / len * width + i % width];
            (*sum, *size) = (*sum + product, *size + product.abs());
        }
        for backend in backends() {
            let mut y = a.clone();
            backend.multiply(batch, &b, &mut y);
            assert_eq!(bits(&y), bits(&want), "{}", backend.name());
            let mut dx = vec![0.0; a.len()];
            backend.multiply_gradient(batch, &dy, &b, &mut dx);
            assert_eq!(bits(&dx), bits(&da), "{}", backend.name());
            let mut dx = vec![0.0; b.len()];
            backend.multiply_gradient(batch, &dy, &a, &mut dx);
            assert_close(backend.name(), &dx, &db, times);
            // What was there stays, and is added to.
            let mut twice = dx.clone();
            backend.multiply_gradient(batch, &dy, &a, &mut twice);
            let doubled: Vec<_> = db.iter().map(|(sum, size)| (2.0 * sum, 2.0 * size)).collect();
            assert_close(backend.name(), &twice, &doubled, 2 * times);
        }
    }
}

/// Each value goes to its place, and no other changes; a gradient comes from there.
#[test]
pub(crate) fn concatenations_are_copies() {
    let mut random = Random(52);
    for _ in 0..200 {
        let (positions, width) = (random.between(1, 3000), random.between(1, 20));
        let (first, behind) = (random.between(0, 20), random.between(0, 20));
        let all = first + width + behind;
        let x = random.values(positions * width);
        for backend in backends() {
            let mut y = vec![7.0; positions * all];
            backend.concatenate(width, &x, [first, all], &mut y);
            let place = |i: usize| (i % all).checked_sub(first).filter(|c| *c < width).map(|c| i / all * width + c);
            let right = y.iter().enumerate().all(|(i, &y)| y == place(i).map_or(7.0, |at| x[at]));
            assert!(right, "{}: {width} values of {all} from {first}", backend.name());
            let mut dx = vec![1.0; x.len()];
            backend.concatenate_gradient(width, &y, [first, all], &mut dx);
            assert!(dx.iter().zip(&x).all(|(dx, x)| *dx == 1.0 + x), "{}", backend.name());
        }
    }
}

#[test]
fn zeros_are_around() {
    let mut random = Random(53);
    for _ in 0..100 {
        let of = Shape::new(random.between(0, 6), random.between(0, 6), random.between(0, 5));
        let padding = [[random.between(0, 3), random.between(0, 3)], [random.between(0, 3), random.between(0, 3)]];
        let batch = random.between(1, 3);
        let [[above, below], [left, right]] = padding;
        let to = Shape::new(of.height + above + below, of.width + left + right, of.channels);
        let x = random.values(batch * of.len());
        let from = |i: usize| {
            let (sample, at) = (i / to.len(), i % to.len());
            let (row, column) = (at / (to.width * of.channels), at / of.channels % to.width);
            let row = row.checked_sub(above).filter(|row| *row < of.height)?;
            let column = column.checked_sub(left).filter(|column| *column < of.width)?;
            Some(((sample * of.height + row) * of.width + column) * of.channels + i % of.channels)
        };
        for backend in backends() {
            let mut y = vec![7.0; batch * to.len()];
            backend.zero_padding(of, padding, batch, &x, &mut y);
            assert!(y.iter().enumerate().all(|(i, &y)| y == from(i).map_or(0.0, |at| x[at])), "{of} {padding:?}");
            let mut dx = vec![7.0; x.len()];
            backend.zero_padding_gradient(of, padding, batch, &y, &mut dx);
            assert_eq!(dx, x, "{of} {padding:?}");
        }
    }
}

#[test]
fn refuses_what_does_not_fit() {
    for backend in backends() {
        let said = refusal(|| backend.multiply(2, &[0.0; 4], &mut [0.0; 6]));
        assert!(said.contains("a sample of 3 values by one of 2"), "{said}");
        let said = refusal(|| backend.multiply_gradient(1, &[0.0; 6], &[0.0; 3], &mut [0.0; 2]));
        assert!(said.contains("factors of 2 and 3 values for a product of 6"), "{said}");
        let said = refusal(|| backend.concatenate(3, &[0.0; 3], [2, 4], &mut [0.0; 4]));
        assert!(said.contains("columns 2..2 + 3 of 4"), "{said}");
        let said = refusal(|| backend.concatenate(3, &[0.0; 6], [0, 4], &mut [0.0; 4]));
        assert!(said.contains("6 and 4 values are not as many positions"), "{said}");
        let said = refusal(|| backend.zero_padding(Shape::vector(1), [[1, usize::MAX], [0; 2]], 1, &[0.0], &mut [0.0]));
        assert!(said.contains("output of 1 values, not 1 times (18446744073709551615, 1, 1)"), "{said}");
    }
}
