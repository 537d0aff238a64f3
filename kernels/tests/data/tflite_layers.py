"""Makes `tflite_layers.safetensors`: single layers in int8, with what TFLite's reference kernels make of them.

Each row of `CASES` is a small Keras network. It is converted by TFLite with int8 inputs and outputs, calibrated on data
whose ranges the row gives (they are what decides on scales and zero points), optionally given another quantisation of
its output, and run by the reference kernels on extreme and random bytes. Every operator of it is recorded as
`OPERATOR/NUMBER`, with these tensors:

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
from math import prod

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


def case(network, *inputs, fused="", out=(1, None)):
    """A network of `inputs`, each (shape, least, largest); `out` is what to multiply the output's scale by, and its zero
    point."""
    return network, inputs, fused, out


def add(*ranges, **settings):
    return case(lambda a, b: layers.Add()([a, b]), *[([8, 8], *r) for r in ranges], **settings)


CASES = [
    add((-1, 1), (-1, 1)),
    add((0, 1), (0, 1)),
    add((-1, 0), (-1, 0)),
    add((0, 1), (-1, 0)),
    add((-3, 1), (-0.01, 0.02)),
    add((-0.001, 0.002), (-7, 90)),
    add((-1, 1), (-1, 1), out=(0.1, None)),
    add((-1, 3), (-4, 1), out=(0.3, 127)),
    add((-1, 3), (-4, 1), out=(1.7, -128)),
    add((0, 5), (-1, 0), out=(300, 3)),
    add((-1, 1), (-2, 2), fused="relu"),
    add((-5, 1), (-2, 0), fused="relu", out=(1, 20)),
    add((0, 1), (-9, 2), fused="relu", out=(0.5, 127)),
    add((-9, 9), (-4, 7), fused="relu6"),
    add((0, 30), (-4, 0), fused="relu6", out=(2, -30)),
    add((-3, 30), (-4, 1), fused="relu6", out=(0.7, 100)),
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


def requantized(file, factor, zero_point):
    """The file, with another quantisation of its output."""
    model = schema.ModelT.InitFromPackedBuf(file, 0)
    graph = model.subgraphs[0]
    output = graph.tensors[graph.outputs[0]].quantization
    output.scale = [np.float32(output.scale[0] * factor)]
    output.zeroPoint = output.zeroPoint if zero_point is None else [zero_point]
    builder = schema.flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def probes(shape, rng):
    """Inputs: all at the least, all at the largest, each at one of the ends, the rest any."""
    ends = [np.full(shape, -128), np.full(shape, 127), rng.choice([-128, 127], shape)]
    return np.stack(ends + [rng.integers(-128, 128, shape) for _ in range(SAMPLES - 3)]).astype(np.int8)


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
        file = requantized(convert(network, inputs, fused, rng), *out)
        record(file, run(file, rng), tensors, numbers)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tflite_layers.safetensors")
    save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, path)
    print(dict(numbers), os.path.getsize(path), "bytes")


main()
