//! Layers as a blob holds them, encoded at compile time. To check an architecture is then to compare bytes: neither the
//! descriptions of the layers nor a decoder for them take flash on a device.

use crate::geometry::{Geometry, Shape};
use crate::layer::{LayerInfo, LayerKind};

/// A layer of a network as a blob holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodedLayer {
    /// The layer's name in the network. A blob may name it otherwise: names compute nothing.
    pub name: &'static str,
    /// Its kind and shapes in postcard's encoding of [`LayerInfo`]: what follows on the name.
    pub bytes: &'static [u8],
}

/// How many bytes [`encode`] makes of a layer.
pub const fn encoded_len(layer: &LayerInfo<'_>) -> usize {
    Encoder::layer(layer).len
}

/// [`EncodedLayer::bytes`] of a layer, where `LEN` is its [`encoded_len`].
pub const fn encode<const LEN: usize>(layer: &LayerInfo<'_>) -> [u8; LEN] {
    match Encoder::layer(layer).bytes.first_chunk::<LEN>() {
        Some(bytes) => *bytes,
        None => panic!("no layer is that long"),
    }
}

/// Bytes so far.
struct Encoder {
    /// A convolution has 18 sizes of up to 10 bytes, and three bytes besides.
    bytes: [u8; 192],
    len: usize,
}

impl Encoder {
    const fn layer(layer: &LayerInfo<'_>) -> Self {
        let start = Self { bytes: [0; _], len: 0 };
        let kind = match layer.kind {
            LayerKind::Conv2D { geometry, use_bias, activation } => {
                start.byte(0).geometry(&geometry).byte(use_bias as u8).byte(activation as u8)
            }
            LayerKind::MaxPooling2D { geometry } => start.byte(1).geometry(&geometry),
            LayerKind::Flatten => start.byte(2),
            LayerKind::Dense { use_bias, activation } => start.byte(3).byte(use_bias as u8).byte(activation as u8),
            LayerKind::Dropout { rate } => {
                let [a, b, c, d] = rate.to_bits().to_le_bytes();
                start.byte(4).byte(a).byte(b).byte(c).byte(d)
            }
        };
        kind.shape(layer.input).shape(layer.output)
    }

    const fn byte(mut self, byte: u8) -> Self {
        self.bytes[self.len] = byte;
        self.len += 1;
        self
    }

    /// Seven bits a byte, the low ones first; the top bit says that more follow.
    const fn number(self, number: usize) -> Self {
        if number < 0x80 { self.byte(number as u8) } else { self.byte(number as u8 | 0x80).number(number >> 7) }
    }

    const fn pair(self, [first, second]: [usize; 2]) -> Self {
        self.number(first).number(second)
    }

    const fn shape(self, Shape { height, width, channels }: Shape) -> Self {
        self.number(height).number(width).number(channels)
    }

    const fn geometry(self, g: &Geometry) -> Self {
        self.shape(g.input()).shape(g.output()).pair(g.kernel()).pair(g.strides()).pair(g.padding())
    }
}
