//! The checks that `sequential!` runs at compile time. Each panics, in a constant, with a message that names the layer.

use core::str;

use crate::geometry::{Geometry, GeometryError, Padding, Shape};
use crate::graph::Activation;
use crate::int8::SoftmaxS8;

/// The shape of the network's input.
pub const fn input(network: &str, height: usize, width: usize, channels: usize) -> Shape {
    if height == 0 || width == 0 || channels == 0 {
        Message::new().text("the input shape of `").text(network).text("` has a dimension of 0").panic();
    }
    let shape = Shape::new(height, width, channels);
    match shape.checked_len() {
        Some(len) if len <= Geometry::LIMIT => shape,
        _ => Message::new()
            .text("the input shape of `")
            .text(network)
            .text("` has more than ")
            .number(Geometry::LIMIT)
            .text(" values")
            .panic(),
    }
}

/// The output shape of a convolution or a pooling.
pub const fn window(
    layer: &str,
    kind: &str,
    input: Shape,
    channels: usize,
    kernel: [usize; 2],
    strides: [usize; 2],
    padding: Padding,
) -> Shape {
    match Geometry::new(input, channels, kernel, strides, padding) {
        Ok(geometry) => geometry.output(),
        Err(error) => {
            let message = Message::new().layer(layer, kind).text(error.message());
            match error {
                GeometryError::KernelExceedsInput => message
                    .text(" (kernel ")
                    .size(kernel[0], kernel[1])
                    .text(", input ")
                    .size(input.height, input.width)
                    .text(")")
                    .panic(),
                GeometryError::TooLarge => message
                    .text(" (kernel ")
                    .size(kernel[0], kernel[1])
                    .text(", strides ")
                    .size(strides[0], strides[1])
                    .text(", input ")
                    .size(input.height, input.width)
                    .text("x")
                    .number(input.channels)
                    .text(")")
                    .panic(),
                GeometryError::Zero | GeometryError::NotAWindow => message.panic(),
            }
        }
    }
}

/// The output shape of a dense layer, which takes vectors alone.
pub const fn dense(layer: &str, input: Shape, units: usize) -> Shape {
    let message = Message::new().layer(layer, "Dense");
    if units == 0 {
        message.text("`units` must be at least 1").panic();
    }
    if input.height != 1 || input.width != 1 {
        message.text("its input is ").shape(input).text(", not a vector; put a `Flatten` before it").panic();
    }
    Shape::vector(units)
}

/// The output shape of a layer with an activation, whose shape without one is `output`: the same.
pub const fn activation(layer: &str, kind: &str, activation: Activation, output: Shape) -> Shape {
    if matches!(activation, Activation::Softmax) && output.channels > SoftmaxS8::MAX_CLASSES {
        Message::new()
            .layer(layer, kind)
            .text("its softmax has ")
            .number(output.channels)
            .text(" classes, but must have at most ")
            .number(SoftmaxS8::MAX_CLASSES)
            .panic();
    }
    output
}

/// The output shape of a sum of layers that are called `names`.
pub const fn add(layer: &str, names: [&str; 2], [a, b]: [Shape; 2]) -> Shape {
    if a.height != b.height || a.width != b.width || a.channels != b.channels {
        Message::new()
            .layer(layer, "Add")
            .text("its terms differ in shape: `")
            .text(names[0])
            .text("` is ")
            .shape(a)
            .text(", `")
            .text(names[1])
            .text("` is ")
            .shape(b)
            .panic();
    }
    a
}

/// The output shape of a dropout.
pub const fn dropout(layer: &str, input: Shape, rate: f32) -> Shape {
    if !(rate >= 0.0 && rate < 1.0) {
        Message::new().layer(layer, "Dropout").text("`rate` must be in 0.0..1.0").panic();
    }
    input
}

/// A text put together at compile time. What is too long for it is cut.
struct Message {
    bytes: [u8; 256],
    len: usize,
}

impl Message {
    const fn new() -> Self {
        Self { bytes: [0; 256], len: 0 }
    }

    const fn layer(self, name: &str, kind: &str) -> Self {
        self.text("layer `").text(name).text("` (").text(kind).text("): ")
    }

    const fn text(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        let mut i = 0;
        while i < text.len() && self.len < self.bytes.len() {
            self.bytes[self.len] = text[i];
            self.len += 1;
            i += 1;
        }
        self
    }

    const fn number(self, number: usize) -> Self {
        let message = if number >= 10 { self.number(number / 10) } else { self };
        let digit = [b'0' + (number % 10) as u8];
        match str::from_utf8(&digit) {
            Ok(digit) => message.text(digit),
            Err(_) => message,
        }
    }

    const fn size(self, height: usize, width: usize) -> Self {
        self.number(height).text("x").number(width)
    }

    const fn shape(self, shape: Shape) -> Self {
        self.size(shape.height, shape.width).text(" x ").number(shape.channels)
    }

    const fn panic(&self) -> ! {
        match str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => panic!("{}", text),
            Err(_) => panic!("a layer does not fit"),
        }
    }
}
