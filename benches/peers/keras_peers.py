"""Keras on TensorFlow: at its best settings, and as its tutorial calls `fit` on arrays."""

import numpy as np
import tensorflow as tf
import keras
from keras import layers

import mnist


def network():
    """MnistConvNet, with Keras's initial values by default."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 5, padding="same"),
            layers.MaxPooling2D(2, padding="same"),
            layers.Conv2D(64, 5, padding="same"),
            layers.MaxPooling2D(2, padding="same"),
            layers.Flatten(),
            layers.Dense(1024, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(256, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )


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

    def __init__(self, best, threads, seed):
        if threads:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        keras.utils.set_random_seed(seed)
        self.best = best
        self.model = network()
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
        """Seconds of each epoch (their mean: Keras also works between epochs), and images a second of the fastest block."""
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
