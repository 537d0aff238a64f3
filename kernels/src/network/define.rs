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
    if !a.equals(b) {
        Message::new().layer(layer, "Add").text("its terms differ in shape: ").shapes(names, [a, b]).panic();
    }
    a
}

/// The output shape of a product of layers that are called `names`.
pub const fn multiply(layer: &str, names: [&str; 2], [a, b]: [Shape; 2]) -> Shape {
    if !a.equals(b) && !b.equals(Shape::vector(a.channels)) {
        Message::new()
            .layer(layer, "Multiply")
            .text("its second factor must be shaped as the first, or a vector of its channels: ")
            .shapes(names, [a, b])
            .panic();
    }
    a
}

/// The output shape of layers that are called `names`, side by side.
pub const fn concatenate(layer: &str, names: [&str; 2], [a, b]: [Shape; 2]) -> Shape {
    let message = Message::new().layer(layer, "Concatenate");
    if a.height != b.height || a.width != b.width {
        message.text("its inputs differ in height or width: ").shapes(names, [a, b]).panic();
    }
    let channels = a.channels + b.channels;
    if channels > u16::MAX as usize {
        message.text("its output has ").number(channels).text(" channels, but must have at most 65535").panic();
    }
    Shape::new(a.height, a.width, channels)
}

/// The output shape of a zero padding.
pub const fn zero_padding(layer: &str, input: Shape, [[above, below], [left, right]]: [[usize; 2]; 2]) -> Shape {
    const MOST: usize = u8::MAX as usize;
    let message = Message::new().layer(layer, "ZeroPadding2D");
    if above > MOST || below > MOST || left > MOST || right > MOST {
        message.text("`padding` must be at most 255 on each side").panic();
    }
    let output = Shape::new(input.height + above + below, input.width + left + right, input.channels);
    match output.checked_len() {
        Some(len) if len <= Geometry::LIMIT && output.height <= 65535 && output.width <= 65535 => output,
        _ => message.text("its output is too large: ").shape(output).panic(),
    }
}

/// The output shape of a reshape.
pub const fn reshape(layer: &str, input: Shape, output: Shape) -> Shape {
    match output.checked_len() {
        Some(len) if len == input.len() => output,
        _ => Message::new()
            .layer(layer, "Reshape")
            .text("its input is ")
            .shape(input)
            .text(", which has another number of values than ")
            .shape(output)
            .panic(),
    }
}

/// The output shape of a batch normalisation.
pub const fn batch_normalization(layer: &str, input: Shape, momentum: f32, epsilon: f32) -> Shape {
    let message = Message::new().layer(layer, "BatchNormalization");
    if !(momentum >= 0.0 && momentum <= 1.0) {
        message.text("`momentum` must be in 0.0..=1.0").panic();
    }
    if !(epsilon > 0.0 && epsilon.is_finite()) {
        message.text("`epsilon` must be above 0, and finite").panic();
    }
    input
}

/// The output shape of a leaky relu.
pub const fn leaky_relu(layer: &str, input: Shape, negative_slope: f32) -> Shape {
    if !(Activation::LeakyRelu { negative_slope }).is_valid() {
        Message::new().layer(layer, "LeakyReLU").text("`negative_slope` must be at least 0, and finite").panic();
    }
    input
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

    /// Which layer has which shape.
    const fn shapes(self, names: [&str; 2], [a, b]: [Shape; 2]) -> Self {
        let message = self.text("`").text(names[0]).text("` is ").shape(a);
        message.text(", `").text(names[1]).text("` is ").shape(b)
    }

    const fn panic(&self) -> ! {
        match str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => panic!("{}", text),
            Err(_) => panic!("a layer does not fit"),
        }
    }
}
