"""Makes `keras_layers.safetensors`: single layers in f32, forward and backward, as Keras computes them.

Every row of `CASES` is recorded as `LAYER/NUMBER`:

    inI        f32 [samples, ...]: an input, normally distributed
    weightI    f32: a tensor of weights, in Keras's order and layout, before the step
    out        f32 [samples, ...]
    dout       f32, as `out`: the gradient of the loss by it, normally distributed
    dinI       f32, as `inI`: the gradient by the input
    dweightI   f32, as `weightI`: the gradient by it, for what is trained
    newI       f32, as `weightI`: what a training step itself leaves in it (moving statistics)
    settings   f32: whatever numbers the row gives, in its order

    python keras_layers.py     (needs tensorflow-cpu 2.21, keras 3.15, safetensors 0.8)
"""

import collections
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
from keras import layers
from safetensors.numpy import save_file


def row(layer, *shapes, settings=(), training=True):
    return layer, shapes, settings, training


def depthwise(shape, window, stride, padding, multiplier):
    """Settings: window, stride, padding (0 same, 1 valid), multiplier."""
    layer = layers.DepthwiseConv2D(window, stride, padding, multiplier)
    return row(layer, shape, settings=[*window, stride, padding == "valid", multiplier])


def average(shape, window, strides, padding):
    """Settings: window, strides, padding."""
    layer = layers.AveragePooling2D(window, strides, padding)
    return row(layer, shape, settings=[*window, *strides, padding == "valid"])


def conv(shape, filters, window, strides, padding):
    """Settings: window, strides, padding."""
    layer = layers.Conv2D(filters, window, strides, padding)
    return row(layer, shape, settings=[*window, *strides, padding == "valid"])


def largest(shape, window, strides, padding):
    """Settings: window, strides, padding."""
    layer = layers.MaxPooling2D(window, strides, padding)
    return row(layer, shape, settings=[*window, *strides, padding == "valid"])


CASES = [
    depthwise([2, 5, 4, 3], (3, 3), 1, "same", 1),
    depthwise([2, 5, 6, 3], (3, 3), 2, "same", 2),
    depthwise([2, 4, 5, 2], (3, 3), 1, "valid", 8),
    depthwise([1, 6, 5, 35], (3, 3), 1, "same", 1),
    depthwise([2, 3, 7, 4], (1, 5), 1, "same", 1),
    depthwise([2, 7, 3, 4], (5, 1), 2, "same", 2),
    depthwise([2, 7, 6, 2], (3, 3), 2, "valid", 1),
    depthwise([1, 3, 3, 4], (5, 5), 1, "same", 1),
    depthwise([2, 5, 5, 3], (2, 2), 2, "same", 1),
    average([2, 5, 5, 3], (2, 2), (2, 2), "same"),
    average([2, 5, 4, 3], (3, 3), (1, 1), "same"),
    average([2, 7, 6, 2], (3, 3), (2, 2), "valid"),
    average([1, 4, 6, 5], (2, 3), (1, 2), "same"),
    row(layers.GlobalAveragePooling2D(), [3, 5, 4, 7]),
    row(layers.GlobalMaxPooling2D(), [3, 5, 4, 7]),
    # Settings: momentum, epsilon, whether it is a training step.
    row(layers.BatchNormalization(), [4, 5, 3, 6], settings=[0.99, 1e-3, 1]),
    row(layers.BatchNormalization(momentum=0.9, epsilon=1e-5), [8, 20], settings=[0.9, 1e-5, 1]),
    row(layers.BatchNormalization(), [4, 5, 3, 6], settings=[0.99, 1e-3, 0], training=False),
    row(layers.LeakyReLU(0.3), [40], settings=[0.3]),
    row(layers.LeakyReLU(0.01), [40], settings=[0.01]),
    row(layers.Activation("relu6", name="Relu6"), [80]),
    row(layers.Activation("sigmoid", name="Sigmoid"), [80]),
    row(layers.Activation("tanh", name="Tanh"), [80]),
    row(layers.Softmax(), [5, 7]),
    row(layers.Softmax(), [2, 3, 4, 3]),
    row(layers.Multiply(), [2, 20], [2, 20]),
    row(layers.Concatenate(), [2, 3, 2, 3], [2, 3, 2, 5]),
    row(layers.Concatenate(), [3, 4], [3, 2], [3, 5]),
    conv([2, 5, 6, 3], 4, (3, 3), (1, 1), "valid"),
    conv([2, 5, 6, 3], 8, (3, 3), (1, 1), "same"),
    conv([1, 9, 11, 16], 17, (3, 3), (1, 1), "same"),
    conv([2, 6, 7, 4], 5, (3, 3), (2, 2), "same"),
    conv([2, 7, 6, 2], 3, (3, 3), (2, 2), "valid"),
    conv([2, 3, 9, 4], 6, (1, 5), (1, 2), "same"),
    conv([2, 9, 3, 3], 1, (5, 1), (2, 1), "valid"),
    conv([3, 4, 3, 16], 9, (1, 1), (1, 1), "same"),
    conv([2, 7, 8, 2], 4, (3, 2), (2, 3), "same"),
    largest([2, 5, 5, 3], (2, 2), (2, 2), "same"),
    largest([2, 6, 6, 17], (2, 2), (2, 2), "valid"),
    largest([2, 5, 4, 3], (3, 3), (1, 1), "same"),
    largest([2, 7, 6, 2], (3, 3), (2, 2), "valid"),
    largest([1, 4, 6, 5], (2, 3), (1, 2), "same"),
    row(layers.Dense(5), [3, 12]),
    row(layers.Dense(1), [2, 33]),
    row(layers.Dense(40), [7, 64]),
    row(layers.Activation("relu", name="Relu"), [80]),
    # Those below are compared with networks in `layers/networks.rs`, which gives their settings, too.
    row(layers.Add(), [2, 3, 2, 2], [2, 3, 2, 2]),
    row(layers.Add(), [2, 5], [2, 5], [2, 5]),
    row(layers.ZeroPadding2D(((1, 0), (2, 3))), [2, 3, 2, 3]),
    row(layers.Reshape((2, 6, 1)), [2, 3, 4]),
    row(layers.Flatten(), [2, 3, 2, 2]),
    row(layers.SeparableConv2D(5, 3, padding="same", depth_multiplier=2), [2, 5, 4, 3]),
    row(layers.SeparableConv2D(4, (2, 3), 2, use_bias=False), [2, 6, 7, 3]),
    row(layers.Conv1D(4, 3, 2, "same"), [2, 9, 3]),
    row(layers.Conv1D(3, 2), [2, 7, 4]),
    row(layers.DepthwiseConv1D(3, 1, "same", 2), [2, 8, 3]),
    row(layers.SeparableConv1D(5, 4, 2, "same"), [2, 9, 3]),
    row(layers.MaxPooling1D(3, 2, "same"), [2, 8, 3]),
    row(layers.AveragePooling1D(3, 2, "same"), [2, 8, 3]),
    row(layers.AveragePooling1D(2), [2, 9, 2]),
    row(layers.GlobalMaxPooling1D(), [2, 7, 3]),
    row(layers.GlobalAveragePooling1D(), [2, 7, 3]),
    row(layers.ZeroPadding1D((2, 1)), [2, 4, 3]),
]


def step(layer, shapes, settings, training, rng):
    """The tensors of one row."""
    normal = lambda shape, scale=1: rng.normal(0, scale, shape).astype(np.float32)
    inputs = [tf.Variable(normal(shape, 3)) for shape in shapes]
    argument = inputs if len(inputs) > 1 else inputs[0]
    layer(argument)
    for weight in layer.weights:
        weight.assign(np.abs(normal(weight.shape)) + 0.1 if "variance" in weight.name else normal(weight.shape))
    tensors = {f"weight{i}": weight.numpy() for i, weight in enumerate(layer.weights)}
    trained = [i for i, weight in enumerate(layer.weights) if weight.trainable]
    with tf.GradientTape() as tape:
        out = layer(argument, training=training)
    dout = normal(out.shape)
    gradients = tape.gradient(out, inputs + [layer.weights[i].value for i in trained], dout)
    names = [f"din{i}" for i in range(len(inputs))] + [f"dweight{i}" for i in trained]
    tensors |= dict(zip(names, [gradient.numpy() for gradient in gradients], strict=True))
    tensors |= {f"new{i}": weight.numpy() for i, weight in enumerate(layer.weights) if i not in trained}
    tensors |= {f"in{i}": value.numpy() for i, value in enumerate(inputs)}
    return tensors | {"out": out.numpy(), "dout": dout, "settings": np.float32(settings)}


def main():
    tensors, numbers = {}, collections.Counter()
    for seed, (layer, *rest) in enumerate(CASES):
        kind = layer.name if isinstance(layer, layers.Activation) else type(layer).__name__
        for name, value in step(layer, *rest, np.random.default_rng(seed)).items():
            tensors[f"{kind}/{numbers[kind]}.{name}"] = np.ascontiguousarray(value)
        numbers[kind] += 1
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "keras_layers.safetensors")
    save_file(tensors, path)
    print(dict(numbers), os.path.getsize(path), "bytes")


main()
