"""Keras on TensorFlow: at its best settings, and as its tutorial calls `fit` on arrays."""

import numpy as np
import tensorflow as tf
import keras
from keras import layers

import mnist


def build(network):
    """The network of that name, with Keras's initial values by default."""
    return {"mnist-convnet": mnist_convnet, "resnet8": resnet8, "ds-cnn": ds_cnn}[network](
        keras.Input(mnist.SHAPES[network]), mnist.CLASSES[network]
    )


def mnist_convnet(image, classes):
    x = layers.Conv2D(32, 5, padding="same")(image)
    x = layers.MaxPooling2D(2, padding="same")(x)
    x = layers.Conv2D(64, 5, padding="same")(x)
    x = layers.MaxPooling2D(2, padding="same")(x)
    x = layers.Flatten()(x)
    for units in (1024, 256):
        x = layers.Dense(units, activation="relu")(x)
        x = layers.Dropout(0.5)(x)
    return keras.Model(image, layers.Dense(classes, activation="softmax")(x))


def resnet8(image, classes):
    def conv(x, filters, kernel, strides=1):
        return layers.Conv2D(filters, kernel, strides=strides, padding="same")(x)

    def normalized(x):
        return layers.BatchNormalization()(x)

    x = layers.ReLU()(normalized(conv(image, 16, 3)))
    for filters, strides in ((16, 1), (32, 2), (64, 2)):
        y = layers.ReLU()(normalized(conv(x, filters, 3, strides)))
        y = normalized(conv(y, filters, 3))
        shortcut = x if strides == 1 else conv(x, filters, 1, strides)
        x = layers.ReLU()(layers.Add()([shortcut, y]))
    x = layers.Flatten()(layers.AveragePooling2D(8)(x))
    return keras.Model(image, layers.Dense(classes, activation="softmax")(x))


def ds_cnn(image, classes):
    def activated(x):
        return layers.ReLU()(layers.BatchNormalization()(x))

    x = activated(layers.Conv2D(64, (10, 4), strides=2, padding="same")(image))
    x = layers.Dropout(0.2)(x)
    for _ in range(4):
        x = activated(layers.DepthwiseConv2D(3, padding="same")(x))
        x = activated(layers.Conv2D(64, 1)(x))
    x = layers.GlobalAveragePooling2D()(layers.Dropout(0.4)(x))
    return keras.Model(image, layers.Dense(classes, activation="softmax")(x))


class Ticks(keras.callbacks.Callback):
    """Feeds the clock: Keras calls it once an execution, which is `steps` training steps."""

    def __init__(self, steps):
        super().__init__()
        self.blocks, self.steps, self.pending = mnist.Blocks(), steps, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.blocks.start()
        self.pending = 0

    def on_train_batch_end(self, batch, logs=None):
        self.pending += self.steps
        if self.pending >= mnist.BLOCK:
            self.blocks.end(self.pending * mnist.BATCH)
            self.pending = 0


class Keras:
    """One way to train with Keras. `best`: gathered batches, no autotuning, fifty steps an execution."""

    version = f"{keras.__version__}/tensorflow {tf.__version__}"

    def __init__(self, network, best, threads, seed):
        if threads:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        keras.utils.set_random_seed(seed)
        self.best = best
        self.model = build(network)
        self.model.compile(
            loss="sparse_categorical_crossentropy",
            optimizer=keras.optimizers.Adadelta(learning_rate=1.0, rho=0.95, epsilon=1e-7),
            metrics=["accuracy"],
            steps_per_execution=mnist.BLOCK if best else 1,
        )

    def batches(self, x, y):
        """What `fit` takes: arrays, or a data set that shuffles indices and gathers batches."""
        if not self.best:
            return {"x": x, "y": y, "batch_size": mnist.BATCH}
        images, labels = tf.constant(x), tf.constant(y)
        options = tf.data.Options()
        options.autotune.enabled = False
        order = tf.data.Dataset.range(len(x)).shuffle(len(x)).batch(mnist.BATCH)
        gathered = order.map(lambda i: (tf.gather(images, i), tf.gather(labels, i))).prefetch(2)
        return {"x": gathered.with_options(options)}

    def train(self, x, y, epochs):
        """Seconds of an epoch (the mean: Keras also works between epochs), and images a second of the fastest block."""
        warm_up = 2 * mnist.BLOCK * mnist.BATCH
        self.model.fit(**self.batches(x[:warm_up], y[:warm_up]), epochs=1, verbose=0)  # compiles
        ticks = Ticks(mnist.BLOCK if self.best else 1)
        batches, seconds = self.batches(x, y), []
        with mnist.clock(seconds):
            self.model.fit(**batches, epochs=epochs, verbose=0, callbacks=[ticks])
        return [seconds[0] / epochs] * epochs, ticks.blocks.fastest

    def predictor(self):
        """A function from images to scores, and what it takes them from."""
        compiled = tf.function(lambda x: self.model(x, training=False))
        return (lambda x: compiled(x).numpy()), tf.constant

    def accuracy(self, x, y):
        return float((self.model.predict(x, batch_size=mnist.BATCH, verbose=0).argmax(1) == np.asarray(y)).mean())
