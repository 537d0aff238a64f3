"""MNIST's files, clocks and the JSON line: what all peers share."""

import contextlib
import itertools
import json
import pathlib
import resource
import time

import numpy as np

BATCH = 50
BLOCK = 50
"""Steps that are timed together: the fastest block tells what a peer does while nobody else uses the machine."""


SHAPES = {"mnist-convnet": (28, 28, 1), "resnet8": (32, 32, 3), "ds-cnn": (49, 10, 1)}
"""The networks and their inputs. MNIST's images are stretched to them."""

CLASSES = {"mnist-convnet": 10, "resnet8": 10, "ds-cnn": 12}


def load(data_dir, part, network, count=None):
    """The first `count` images in [0, 1] as f32, as the network takes them, and labels as i64 [n], from IDX files.
    `part`: "train" or "t10k"."""
    height, width, channels = SHAPES[network]
    folder = pathlib.Path(data_dir)
    images = np.fromfile(folder / f"{part}-images-idx3-ubyte", np.uint8)[16:].reshape(-1, 28, 28, 1)
    labels = np.fromfile(folder / f"{part}-labels-idx1-ubyte", np.uint8)[8:]
    rows, columns = np.arange(height) * 28 // height, np.arange(width) * 28 // width
    images = images[:count, rows[:, None], columns].repeat(channels, 3).astype(np.float32)
    images /= 255
    return images, labels[:count].astype(np.int64)


class Blocks:
    """Times blocks of training steps; `end` is called after each."""

    def __init__(self):
        self.fastest = 0.0
        self.start()

    def start(self):
        self.since = time.perf_counter()

    def end(self, images):
        now = time.perf_counter()
        self.fastest = max(self.fastest, images / (now - self.since))
        self.since = now


def fastest_stretch(work, images):
    """Images a second of `work()`, which is `images` images, again and again: the fastest of ten stretches of a fifth
    of a second."""
    rates = []
    for _ in range(10):
        done, elapsed, since = 0, 0.0, time.perf_counter()
        while elapsed < 0.2:
            work()
            done += images
            elapsed = time.perf_counter() - since
        rates.append(done / elapsed)
    return max(rates)


def throughput(predict, images, batch):
    """Images a second of `predict(images[i : i + batch])`, after a warm-up."""
    starts = itertools.cycle(range(0, len(images) - batch + 1, batch))
    predict(images[:batch])

    def work():
        start = next(starts)
        predict(images[start : start + batch])

    return fastest_stretch(work, batch)


def peak_rss_mib():
    """Peak resident memory of this process, without its compiler processes, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextlib.contextmanager
def clock(seconds):
    """Appends the wall time of its block to `seconds`."""
    since = time.perf_counter()
    yield
    seconds.append(time.perf_counter() - since)


def report(**values):
    """One JSON line on stdout; progress goes to stderr."""
    print(json.dumps({k: round(v, 5) if isinstance(v, float) else v for k, v in values.items()}), flush=True)
