use crate::support::{Random, backends, poison};
use thumbnet::geometry::Geometry;

/// For every output the inputs of its window in row-major order, by the definition.
fn windows(g: &Geometry) -> Vec<Vec<usize>> {
    let mut windows = Vec::new();
    for y in 0..g.output().height {
        for x in 0..g.output().width {
            for c in 0..g.output().channels {
                let rows = (0..g.kernel()[0]).map(|ky| (y * g.strides()[0] + ky) as isize - g.padding()[0] as isize);
                let rows = rows.filter(|iy| (0..g.input().height as isize).contains(iy));
                let window = rows.flat_map(|iy| {
                    let columns =
                        (0..g.kernel()[1]).map(|kx| (x * g.strides()[1] + kx) as isize - g.padding()[1] as isize);
                    let columns = columns.filter(|ix| (0..g.input().width as isize).contains(ix));
                    columns.map(move |ix| (iy as usize * g.input().width + ix as usize) * g.input().channels + c)
                });
                windows.push(window.collect());
            }
        }
    }
    windows
}

/// Outputs must be the same bits; gradients are sums of at most 25 values, exact here because these are small integers.
#[test]
pub(crate) fn equals_the_definition() {
    let mut random = Random(7);
    for _ in 0..300 {
        let channels = random.between(1, 70);
        let (g, batch) = (random.geometry(channels, channels), random.between(1, 5));
        // Few distinct values, so that maxima tie.
        let x: Vec<f32> = (0..batch * g.input().len()).map(|_| random.between(0, 6) as f32 - 3.0).collect();
        let dy: Vec<f32> = (0..batch * g.output().len()).map(|_| random.between(0, 100) as f32 - 50.0).collect();
        let (mut y, mut dx) = (Vec::new(), vec![0.0; x.len()]);
        for b in 0..batch {
            for window in windows(&g) {
                let mut best = window[0];
                for &i in &window {
                    if x[b * g.input().len() + i] > x[b * g.input().len() + best] {
                        best = i;
                    }
                }
                dx[b * g.input().len() + best] += dy[y.len()];
                y.push(x[b * g.input().len() + best]);
            }
        }
        for backend in backends() {
            let (mut got, mut gradient) = (poison(y.len()), poison(x.len()));
            backend.max_pool(&g, batch, &x, &mut got);
            assert_eq!(got, y, "{} max_pool {g:?}", backend.name());
            backend.max_pool_gradient(&g, batch, &x, &y, &dy, &mut gradient);
            assert_eq!(gradient, dx, "{} max_pool_gradient {g:?}", backend.name());
        }
    }
}

/// Of small integers every sum is exact, and a mean is rounded once, as is each share of a gradient.
#[test]
pub(crate) fn averages_equal_the_definition() {
    let mut random = Random(8);
    for _ in 0..300 {
        let channels = random.between(1, 70);
        let (g, batch) = (random.geometry(channels, channels), random.between(1, 5));
        let x: Vec<f32> = (0..batch * g.input().len()).map(|_| random.between(0, 100) as f32 - 50.0).collect();
        let dy: Vec<f32> = (0..batch * g.output().len()).map(|_| random.between(0, 100) as f32 - 50.0).collect();
        let (mut y, mut dx) = (Vec::new(), vec![0.0; x.len()]);
        for b in 0..batch {
            let first = b * g.input().len();
            for window in windows(&g) {
                let count = window.len() as f32;
                window.iter().for_each(|i| dx[first + i] += dy[y.len()] / count);
                y.push(window.iter().map(|i| x[first + i]).sum::<f32>() / count);
            }
        }
        for backend in backends() {
            let (mut got, mut gradient) = (poison(y.len()), poison(x.len()));
            backend.average_pool(&g, batch, &x, &mut got);
            assert_eq!(got, y, "{} average_pool {g:?}", backend.name());
            backend.average_pool_gradient(&g, batch, &dy, &mut gradient);
            assert_eq!(gradient, dx, "{} average_pool_gradient {g:?}", backend.name());
        }
    }
}
