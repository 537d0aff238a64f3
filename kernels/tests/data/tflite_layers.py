"""Makes `tflite_layers.safetensors`: single layers in int8, with what TFLite's reference kernels make of them.

Each row of `CASES` is a small Keras network. TFLite converts it, with int8 inputs and outputs, calibrated on data whose
ranges the row gives: scales and zero points follow from these, and some rows then change the output's. The reference
kernels run it on extreme and random bytes. Every operator of it is recorded as `OPERATOR/NUMBER`:

    inI           int8 [samples, ...]: an input; a constant one as it lies in the file
    out           int8 [samples, ...]
    quantization  f32 [inputs that are no constants + 1, 2]: scale and zero point of these, and of the output
    inI.scale     f32: of a constant int8 input, one scale or one a channel
    options       f32: fused activation (0 none, 1 relu, 3 relu6), padding (0 same, 1 valid), strides (height, width),
                  window (height, width), depth multiplier, alpha, keep_dims; 0 where an operator has none

    python tflite_layers.py     (needs tensorflow-cpu 2.21, ai-edge-litert 2.3, safetensors 0.8)
"""

import collections
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from keras import layers
from safetensors.numpy import save_file
from tensorflow.lite.python import schema_py_generated as schema

SAMPLES = 5
NAMES = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
OPTIONS = ["fusedActivationFunction", "padding", "strideH", "strideW", "filterHeight", "filterWidth", "depthMultiplier",
           "alpha", "keepDims"]
FUSED = {"": lambda x: x, "relu": layers.ReLU(), "relu6": layers.ReLU(6)}


def case(network, *inputs, fused="", out=(1, None), quantize=False):
    """A network of `inputs`, each (shape, least, largest).

    `out` is what to multiply the output's scale by, or what makes it of the inputs', and its zero point. `quantize` is
    to put QUANTIZE in the operator's place.
    """
    return network, inputs, fused, (*out, quantize)


def two(layer, *ranges, **settings):
    return case(lambda a, b: layer([a, b]), *[([8, 8], *r) for r in ranges], **settings)


def each(layer, *ranges, shape=(16, 16), **settings):
    """The layer behind inputs of every range. A shape of 256 values has every byte."""
    return [case(layer, (shape, *r), **settings) for r in ranges]


def depthwise(window, stride, padding, multiplier, input, **settings):
    return case(layers.DepthwiseConv2D(window, stride, padding, multiplier), input, **settings)


def conv(filters, window, stride, padding, input, **settings):
    return case(layers.Conv2D(filters, window, stride, padding), input, **settings)


def pool(layer, window, stride, padding, *input, **settings):
    return case(layer(window, stride, padding), input, **settings)


ADD, MULTIPLY = layers.Add(), layers.Multiply()
MEAN, MAX, AVERAGE = layers.GlobalAveragePooling2D, layers.MaxPooling2D, layers.AveragePooling2D
CASES = [
    two(ADD, (-1, 1), (-1, 1)),
    two(ADD, (0, 1), (0, 1)),
    two(ADD, (-1, 0), (-1, 0)),
    two(ADD, (0, 1), (-1, 0)),
    two(ADD, (-3, 1), (-0.01, 0.02)),
    two(ADD, (-0.001, 0.002), (-7, 90)),
    two(ADD, (-1, 1), (-1, 1), out=(0.1, None)),
    two(ADD, (-1, 3), (-4, 1), out=(0.3, 127)),
    two(ADD, (-1, 3), (-4, 1), out=(1.7, -128)),
    two(ADD, (0, 5), (-1, 0), out=(300, 3)),
    two(ADD, (-1, 1), (-3, 3), out=(lambda a, b: 2 * a, 0)),  # Halves wherever the sum is odd.
    two(ADD, (-1, 1), (-2, 2), fused="relu"),
    two(ADD, (-5, 1), (-2, 0), fused="relu", out=(1, 20)),
    two(ADD, (0, 1), (-9, 2), fused="relu", out=(0.5, 120)),
    two(ADD, (-9, 9), (-4, 7), fused="relu6"),
    two(ADD, (0, 30), (-4, 0), fused="relu6", out=(2, -30)),
    two(ADD, (-3, 30), (-4, 1), fused="relu6", out=(0.7, 100)),
    two(MULTIPLY, (-1, 1), (-1, 1)),
    two(MULTIPLY, (0, 1), (0, 1)),
    two(MULTIPLY, (-1, 0), (-1, 0)),
    two(MULTIPLY, (0, 1), (-50, 0)),
    two(MULTIPLY, (-3, 1), (-0.01, 0.02), out=(0.02, 127)),
    two(MULTIPLY, (-3, 8), (-2, 1), out=(4, -128)),
    two(MULTIPLY, (-1, 3), (-5, 2), out=(lambda a, b: 2 * (a * b), 0)),
    two(MULTIPLY, (-1, 1), (-2, 2), fused="relu"),
    two(MULTIPLY, (-4, 1), (-2, 9), fused="relu6", out=(1.5, 20)),
    depthwise((3, 3), 1, "same", 1, ([6, 5, 3], -1, 1)),
    depthwise((3, 3), 1, "valid", 1, ([6, 5, 4], 0, 1), fused="relu"),
    depthwise((3, 3), 1, "same", 1, ([4, 5, 35], -4, 9), fused="relu6"),
    depthwise((3, 3), 1, "same", 2, ([5, 4, 3], -1, 0), out=(0.2, None)),
    depthwise((3, 3), 1, "same", 8, ([4, 4, 2], -3, 1), out=(1, 127)),
    depthwise((3, 3), 2, "same", 1, ([6, 7, 16], 0, 6), fused="relu6"),
    depthwise((3, 3), 2, "same", 2, ([7, 6, 3], -1, 1), fused="relu", out=(1, 10)),
    depthwise((3, 3), 2, "valid", 8, ([7, 6, 1], 0, 1), out=(1, -128)),
    depthwise((1, 5), 1, "same", 1, ([3, 7, 4], -5, 2), fused="relu6"),
    depthwise((1, 5), 2, "same", 2, ([3, 8, 3], -1, 1), fused="relu"),
    depthwise((1, 5), 1, "valid", 8, ([2, 7, 2], 0, 3)),
    depthwise((5, 1), 1, "same", 2, ([7, 3, 3], -1, 0), out=(0.4, 127)),
    depthwise((5, 1), 2, "same", 1, ([8, 3, 5], -2, 2), fused="relu"),
    depthwise((5, 1), 2, "valid", 8, ([9, 2, 2], -9, 4), fused="relu6"),
    depthwise((5, 5), 1, "same", 1, ([3, 3, 4], -1, 2)),
    depthwise((2, 2), 2, "same", 1, ([5, 5, 8], 0, 1), fused="relu"),
    case(layers.Conv2D(5, 1, 2, "same"), ([5, 4, 3], -1, 1)),
    case(layers.Conv2D(3, 3, 2, "same"), ([6, 5, 2], -3, 9), fused="relu6"),
    case(layers.Conv2D(3, (10, 4), 2, "same"), ([11, 5, 1], 0, 1), fused="relu", out=(1, 5)),
    pool(AVERAGE, 2, 2, "same", [5, 5, 3], -1, 1),
    pool(AVERAGE, 3, 1, "same", [5, 4, 4], 0, 1),
    pool(AVERAGE, 3, 2, "valid", [7, 7, 3], -1, 0),
    pool(AVERAGE, (2, 3), (1, 2), "same", [4, 6, 5], -1, 3),
    pool(AVERAGE, (6, 5), 1, "valid", [6, 5, 3], -9, 1),
    pool(AVERAGE, 3, 2, "same", [5, 5, 17], -1, 1, fused="relu"),
    pool(AVERAGE, 2, 1, "valid", [4, 4, 3], -1, 20, fused="relu6"),
    pool(MAX, (4, 5), 1, "valid", [4, 5, 3], -1, 1),
    pool(MAX, 3, 1, "same", [4, 5, 3], -1, 1, fused="relu"),
    pool(MAX, 3, 2, "valid", [5, 7, 3], -8, 9, fused="relu6"),
    case(layers.GlobalMaxPooling2D(), ([4, 5, 3], -1, 1)),
    case(MEAN(), ([4, 4, 3], -1, 1)),
    case(MEAN(), ([3, 3, 8], 0, 1)),
    case(MEAN(), ([7, 5, 2], -1, 0)),
    case(MEAN(), ([25, 5, 4], -3, 20), out=(5, 127)),
    case(MEAN(), ([16, 16, 2], 0, 6), out=(1, -128)),
    case(MEAN(), ([1, 1, 4], -1, 1)),
    case(MEAN(), ([1, 3, 4], -1, 1), out=(0.01, 1)),
    case(MEAN(), ([4, 6, 4], -1, 3), out=(40, 2)),
    case(MEAN(), ([3, 1, 64], -5, 2), out=(lambda a: a * np.float32(2 / 3), 0)),
    case(MEAN(keepdims=True), ([4, 6, 4], -1, 3)),
    case(MEAN(keepdims=True), ([7, 7, 4], 0, 1), out=(0.8, -128)),
    *each(layers.Activation("sigmoid"), (-1, 1), (-8, 8), (0, 4), (-6, 0), (-0.02, 0.03), (-90, 100)),
    *each(layers.Activation("tanh"), (-1, 1), (-4, 4), (0, 2.5), (-3, 0), (-0.02, 0.03), (-90, 100)),
    *each(layers.LeakyReLU(0.3), (-1, 1), (0, 1), (-1, 0)),
    *each(layers.LeakyReLU(0.01), (-2, 3), out=(0.3, -128)),
    *each(layers.LeakyReLU(0.3), (-2, 3), out=(lambda a: 2 * (a * np.float32(0.3)), 127)),
    *each(layers.LeakyReLU(1.5), (-2, 3), out=(5, 127)),
    *each(layers.ReLU(), (-1, 2)),
    *each(layers.ReLU(), (-3, 2), out=(0.2, 100)),
    *each(layers.ReLU(6), (-4, 30), (0, 5)),
    *each(layers.ReLU(6), (-4, 5), out=(1.3, 7)),
    *each(layers.ReLU(), (-1, 2), (-2, 0.1), (0, 1), out=(0.9, 5), quantize=True),
    *each(layers.ReLU(), (-1, 2), (-2, 1), out=(4, -128), quantize=True),
    *each(layers.ReLU(), (-5, 2), out=(0.3, 127), quantize=True),
    *each(layers.Softmax(), (-8, 8), (0, 30), (-0.5, 0.1), shape=(6, 10)),
    *each(layers.Softmax(), (-1, 100), shape=(2, 3, 3)),
    *each(layers.ZeroPadding2D(((1, 2), (0, 3))), (-1, 1), (0, 1), (-1, 0), shape=(3, 4, 2)),
    case(lambda a, b: layers.Concatenate()([a, b]), ([3, 4, 2], -1, 1), ([3, 4, 3], -1, 1)),
    case(lambda a, b: layers.Concatenate()([a, b]), ([3, 4, 2], -1, 1), ([3, 4, 3], 0, 5)),
    case(lambda a, b: layers.Concatenate(1)([a, b]), ([3, 4, 2], -9, 0), ([5, 4, 2], -0.1, 0.1)),
    case(lambda a, b, c: layers.Concatenate()([a, b, c]), ([2, 3], 0, 1), ([2, 1], 0, 1.1), ([2, 4], -1, 1.2)),
    case(lambda a, b: layers.Concatenate()([layers.Activation("tanh")(a), b]), ([3, 4, 2], -1, 1), ([3, 4, 3], 0, 5)),
    case(layers.Reshape([6, 4]), ([3, 2, 4], -1, 2)),
    case(layers.Dense(5), ([12], -1, 1)),
    case(layers.Dense(9), ([31], 0, 1), fused="relu"),
    case(layers.Dense(4), ([16], -9, 4), fused="relu6", out=(1, 3)),
    case(layers.Dense(6), ([3, 8], -1, 0), out=(0.3, 127)),
    conv(8, 3, 1, "valid", ([6, 5, 4], 0, 1), fused="relu"),
    conv(4, 3, 1, "same", ([5, 6, 3], -1, 0), out=(0.3, 127)),
    conv(1, 3, 1, "same", ([4, 4, 1], 0, 6), out=(0.7, -128)),
    conv(6, 3, 2, "valid", ([7, 6, 2], -4, 9), fused="relu6"),
    conv(9, 3, 2, "same", ([6, 7, 5], -1, 1), fused="relu", out=(1, 100)),
    conv(3, (1, 5), (1, 2), "same", ([3, 9, 4], -1, 0), fused="relu"),
    conv(5, (5, 1), (2, 1), "valid", ([9, 3, 3], 0, 1), fused="relu6", out=(2, -30)),
    conv(7, (3, 2), (2, 3), "same", ([7, 8, 4], -9, 1)),
    conv(17, 1, 1, "same", ([4, 3, 16], -2, 1), fused="relu6", out=(1, 100)),
    conv(5, 1, 2, "valid", ([5, 5, 8], -1, 0), fused="relu"),
    conv(4, 2, 1, "same", ([3, 5, 33], -1, 3)),
    pool(MAX, 2, 2, "same", [5, 7, 5], 0, 1),
    pool(MAX, (2, 3), (1, 2), "same", [4, 6, 3], -1, 0),
    pool(MAX, 3, 2, "same", [6, 5, 17], -1, 20, fused="relu6"),
    *each(layers.Softmax(), (0, 0.001), (-300, 10), shape=(3, 2)),
    *each(layers.Softmax(), (-20, 1), (-3, 0), shape=(4, 17)),
    case(layers.Dense(1), ([33], 0, 1)),
    case(layers.Dense(10), ([7], -1, 0), fused="relu6", out=(1, 127)),
    case(layers.Dense(3), ([64], -5, 9), fused="relu", out=(0.2, -128)),
]


def spread(shape, least, largest, rng):
    """Calibration data that reaches both ends of its range."""
    values = rng.uniform(least, largest, shape).astype(np.float32)
    values.flat[rng.integers(values.size)] = least
    values.flat[rng.integers(values.size)] = largest
    return values


def convert(network, inputs, fused, rng):
    """The network as a .tflite file."""
    tensors = [keras.Input(shape, batch_size=1) for shape, _, _ in inputs]
    model = keras.Model(tensors, FUSED[fused](network(*tensors)))
    for weights in model.weights:
        weights.assign(rng.normal(0, 0.5, weights.shape))
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [spread([1, *shape], least, largest, rng) for shape, least, largest in inputs] for _ in range(20)
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    return converter.convert()


def edited(file, factor, zero_point, quantize):
    """The file, with another quantisation of its output or another operator."""
    model = schema.ModelT.InitFromPackedBuf(file, 0)
    if quantize:
        model.operatorCodes[0].builtinCode = schema.BuiltinOperator.QUANTIZE
        model.operatorCodes[0].deprecatedBuiltinCode = schema.BuiltinOperator.QUANTIZE
    graph = model.subgraphs[0]
    output = graph.tensors[graph.outputs[0]].quantization
    inputs = [np.float32(graph.tensors[index].quantization.scale[0]) for index in graph.inputs]
    output.scale = [np.float32(factor(*inputs) if callable(factor) else output.scale[0] * factor)]
    output.zeroPoint = output.zeroPoint if zero_point is None else [zero_point]
    builder = schema.flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def probes(shape, rng):
    """Inputs: the least, the largest, one of both, every byte as far as there is room, any."""
    ends = [np.full(shape, -128), np.full(shape, 127), rng.choice([-128, 127], shape)]
    every = np.resize(rng.permutation(256) - 128, shape)
    return np.stack([*ends, every, rng.integers(-128, 128, shape)]).astype(np.int8)


def run(file, rng):
    """The network's inputs and every tensor for each sample, from the reference kernels."""
    interpreter = Interpreter(model_content=file, experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
                              experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    inputs = [(d["index"], probes(d["shape"][1:], rng)) for d in interpreter.get_input_details()]
    values = collections.defaultdict(list)
    for sample in range(SAMPLES):
        for index, value in inputs:
            interpreter.set_tensor(index, value[sample:sample + 1])
        interpreter.invoke()
        for detail in interpreter.get_tensor_details():
            values[detail["index"]].append(interpreter.get_tensor(detail["index"]).copy())
    return values


def record(file, values, tensors, numbers):
    """Adds each operator of the file to `tensors`."""
    model = schema.ModelT.InitFromPackedBuf(file, 0)
    graph = model.subgraphs[0]
    constant = lambda index: model.buffers[graph.tensors[index].buffer].data is not None
    for operator in graph.operators:
        kind = NAMES[model.operatorCodes[operator.opcodeIndex].builtinCode].lower()
        name = f"{kind}/{numbers[kind]}"
        numbers[kind] += 1
        quantization = []
        for place, index in [*enumerate(operator.inputs), ("", operator.outputs[0])]:
            label = f"{name}.in{place}" if place != "" else f"{name}.out"
            parameters = graph.tensors[index].quantization
            if constant(index):
                tensors[label] = values[index][0]
                if values[index][0].dtype == np.int8:
                    tensors[f"{label}.scale"] = np.float32(parameters.scale)
            elif values[index][0].dtype == np.int8:
                tensors[label] = np.concatenate(values[index])
                quantization.append([parameters.scale[0], parameters.zeroPoint[0]])
        tensors[f"{name}.quantization"] = np.float32(quantization)
        tensors[f"{name}.options"] = np.float32([getattr(operator.builtinOptions, o, 0) for o in OPTIONS])


def main():
    tensors, numbers = {}, collections.Counter()
    for seed, (network, inputs, fused, out) in enumerate(CASES):
        rng = np.random.default_rng(seed)
        file = edited(convert(network, inputs, fused, rng), *out)
        record(file, run(file, rng), tensors, numbers)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tflite_layers.safetensors")
    save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, path)
    print(dict(numbers), os.path.getsize(path), "bytes")


main()
