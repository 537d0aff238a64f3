"""int8 inference of a network by LiteRT with XNNPACK: one thread, one image at a time. Prints one JSON line.

    python litert.py --data-dir DIR [--network mnist-convnet] [--images 5000]

The TFLite file is made here: a Keras model, trained for one epoch, quantised after training to int8 with int8 inputs
and outputs. The main figure times `invoke` alone; the other one includes handing over image and scores as Python does.
"""

import argparse
import os

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

CALIBRATION_IMAGES = 500


def quantized_model(network, x, y):
    """The bytes of the TFLite file."""
    import keras
    import tensorflow as tf

    from keras_peers import build

    keras.utils.set_random_seed(1)
    model = build(network)
    model.compile(loss="sparse_categorical_crossentropy", optimizer=keras.optimizers.Adadelta(1.0, 0.95, 1e-7))
    model.fit(x, y, batch_size=50, epochs=1, verbose=0)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([image[None]] for image in x[:CALIBRATION_IMAGES])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="mnist-convnet", choices=["mnist-convnet", "resnet8", "ds-cnn"])
    parser.add_argument("--data-dir", required=True, help="folder of MNIST's four files, unpacked")
    parser.add_argument("--images", type=int, default=5000, help="how many images the model is trained on")
    options = parser.parse_args()

    import importlib.metadata

    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    import mnist

    file = quantized_model(options.network, *mnist.load(options.data_dir, "train", options.network, options.images))
    interpreter = Interpreter(model_content=file, num_threads=1)  # XNNPACK is its default
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero_point = source["quantization"]
    test_x, test_y = mnist.load(options.data_dir, "t10k", options.network)
    images = np.clip(np.rint(test_x / scale) + zero_point, -128, 127).astype(np.int8)

    def predict(batch):
        interpreter.set_tensor(source["index"], batch)
        interpreter.invoke()
        return interpreter.get_tensor(target["index"])

    classes = np.array([predict(images[i : i + 1]).argmax() for i in range(len(images))])
    mnist.report(
        peer="litert-xnnpack",
        version=importlib.metadata.version("ai-edge-litert"),
        test_accuracy=float((classes == test_y).mean()),
        int8_images_per_second=mnist.fastest_stretch(interpreter.invoke, 1),
        int8_images_per_second_with_copies=mnist.throughput(predict, images, 1),
    )


if __name__ == "__main__":
    main()
