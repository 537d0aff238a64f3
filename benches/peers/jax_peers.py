"""JAX with Flax and Optax: a compiled step that updates weights and the optimizer's state where they lie."""

import functools
import os

import flax
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

import mnist

GLOROT = nn.initializers.glorot_uniform()


def build(network):
    """The network of that name. The softmax is in the loss."""
    return {"mnist-convnet": MnistConvNet, "resnet8": ResNet8, "ds-cnn": DsCnn}[network](mnist.CLASSES[network])


def conv(filters, kernel, strides=1):
    return nn.Conv(filters, kernel, strides, padding="SAME", kernel_init=GLOROT)


def dense(units):
    return nn.Dense(units, kernel_init=GLOROT)


class MnistConvNet(nn.Module):
    classes: int

    @nn.compact
    def __call__(self, x, training):
        for filters in (32, 64):
            x = conv(filters, (5, 5))(x)
            x = nn.max_pool(x, (2, 2), strides=(2, 2), padding="SAME")
        x = x.reshape(len(x), -1)
        for units in (1024, 256):
            x = nn.relu(dense(units)(x))
            x = nn.Dropout(0.5, deterministic=not training)(x)
        return dense(self.classes)(x)


def normalized(x, training):
    """Keras's BatchNormalization."""
    return nn.BatchNorm(use_running_average=not training, momentum=0.99, epsilon=1e-3)(x)


class ResNet8(nn.Module):
    classes: int

    @nn.compact
    def __call__(self, x, training):
        x = nn.relu(normalized(conv(16, (3, 3))(x), training))
        for filters, strides in ((16, 1), (32, 2), (64, 2)):
            y = nn.relu(normalized(conv(filters, (3, 3), strides)(x), training))
            y = normalized(conv(filters, (3, 3))(y), training)
            shortcut = x if strides == 1 else conv(filters, (1, 1), strides)(x)
            x = nn.relu(shortcut + y)
        return dense(self.classes)(x.mean((1, 2)))


class Depthwise(nn.Module):
    """A 3x3 depthwise convolution as nine products, which XLA fuses: faster on a CPU than its grouped convolution."""

    @nn.compact
    def __call__(self, x):
        height, width, channels = x.shape[1:]
        kernel = self.param("kernel", GLOROT, (3, 3, 1, channels))
        bias = self.param("bias", nn.initializers.zeros, (channels,))
        padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        taps = ((r, c) for r in range(3) for c in range(3))
        return sum(padded[:, r : r + height, c : c + width] * kernel[r, c, 0] for r, c in taps) + bias


class DsCnn(nn.Module):
    classes: int

    @nn.compact
    def __call__(self, x, training):
        x = nn.relu(normalized(conv(64, (10, 4), 2)(x), training))
        x = nn.Dropout(0.2, deterministic=not training)(x)
        for _ in range(4):
            x = nn.relu(normalized(Depthwise()(x), training))
            x = nn.relu(normalized(conv(64, (1, 1))(x), training))
        x = nn.Dropout(0.4, deterministic=not training)(x)
        return dense(self.classes)(x.mean((1, 2)))


class Jax:
    """The one way to train with JAX."""

    version = f"{jax.__version__}/flax {flax.__version__}"

    def __init__(self, network, threads, seed):
        if threads:  # XLA has as many as the process has cores
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
        jax.config.update("jax_default_prng_impl", "rbg")  # draws dropout faster than the default
        self.model = build(network)
        self.random = np.random.default_rng(seed)
        image = jnp.zeros((1, *mnist.SHAPES[network]))
        variables = self.model.init(jax.random.key(seed), image, False)
        self.optimizer = optax.adadelta(learning_rate=1.0, rho=0.95, eps=1e-7)
        statistics = variables.get("batch_stats", {})
        key = jax.random.key(seed + 1)
        self.state = variables["params"], statistics, self.optimizer.init(variables["params"]), key

    @functools.partial(jax.jit, static_argnums=0, donate_argnums=1)
    def step(self, state, x, y, chosen):
        """What a batch, the `chosen` images, makes of weights, statistics, optimizer and key."""
        weights, statistics, slots, key = state
        key, dropout = jax.random.split(key)

        def loss(weights):
            variables = {"params": weights, "batch_stats": statistics}
            drawn = {"dropout": dropout}
            outputs, changed = self.model.apply(variables, x[chosen], True, mutable=["batch_stats"], rngs=drawn)
            losses = optax.softmax_cross_entropy_with_integer_labels(outputs, y[chosen])
            return losses.mean(), changed.get("batch_stats", {})

        (_, statistics), gradients = jax.value_and_grad(loss, has_aux=True)(weights)
        updates, slots = self.optimizer.update(gradients, slots, weights)
        return optax.apply_updates(weights, updates), statistics, slots, key

    def train(self, x, y, epochs):
        """Seconds of each epoch, and images a second of the fastest block."""
        x, y = jnp.asarray(x), jnp.asarray(y, jnp.int32)

        def run(steps):
            for chosen in steps:
                self.state = self.step(self.state, x, y, chosen)
            jax.block_until_ready(self.state)

        run(np.arange(5 * mnist.BATCH).reshape(-1, mnist.BATCH))  # compiles
        blocks, seconds = mnist.Blocks(), []
        for _ in range(epochs):
            with mnist.clock(seconds):
                steps = self.random.permutation(len(x)).reshape(-1, mnist.BATCH)
                blocks.start()
                for start in range(0, len(steps), mnist.BLOCK):
                    block = steps[start : start + mnist.BLOCK]
                    run(block)
                    if len(block) == mnist.BLOCK:
                        blocks.end(mnist.BLOCK * mnist.BATCH)
        return seconds, blocks.fastest

    def predictor(self):
        """A function from images to scores, and what it takes them from."""
        weights, statistics, *_ = self.state
        variables = {"params": weights, "batch_stats": statistics}
        compiled = jax.jit(lambda x: jax.nn.softmax(self.model.apply(variables, x, False)))
        return (lambda x: np.asarray(compiled(x))), lambda x: x

    def accuracy(self, x, y):
        predict, _ = self.predictor()
        classes = [predict(x[i : i + mnist.BATCH]).argmax(1) for i in range(0, len(x), mnist.BATCH)]
        return float((np.concatenate(classes) == y).mean())
