//! Max pooling of int8 values. The oracle of every other back end.
use crate::arch::window::Axis;
use crate::geometry::Geometry;

/// The maximum of each window over one sample; what would be padding does not count, as in TFLite.
#[cfg_attr(thumbnet_x86, inline(always))]
pub(crate) fn max_pool_s8(geometry: &Geometry, input: &[i8], output: &mut [i8]) {
    let channels = geometry.input().channels;
    let (rows, columns) = (Axis::rows(geometry), Axis::columns(geometry));
    for (position, output) in output.chunks_exact_mut(channels).enumerate() {
        let (y, x) = (position / geometry.output().width, position % geometry.output().width);
        output.fill(i8::MIN);
        for ky in rows.taps(y) {
            for kx in columns.taps(x) {
                let place = rows.source(y, ky) * columns.input + columns.source(x, kx);
                let values = &input[place * channels..][..channels];
                for (largest, &value) in output.iter_mut().zip(values) {
                    *largest = (*largest).max(value);
                }
            }
        }
    }
}
