"""PyTorch: eager, channels_last and compiled. Batches are gathered from one tensor, which no DataLoader can beat."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import mnist


def network():
    """MnistConvNet. The softmax is in the loss, where PyTorch wants it."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 5, padding=2),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5, padding=2),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(3136, 1024),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(1024, 256),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(256, 10),
    )


def glorot(module):
    """Keras's initial values."""
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


class Torch:
    """One way to train with PyTorch."""

    version = torch.__version__

    def __init__(self, channels_last, compiled, threads, seed):
        if threads:
            torch.set_num_threads(threads)
        torch.manual_seed(seed)
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        self.model = network().apply(glorot).to(memory_format=self.layout)
        self.optimizer = torch.optim.Adadelta(self.model.parameters(), lr=1.0, rho=0.95, eps=1e-7, foreach=True)
        self.call = torch.compile(self.model) if compiled else self.model
        self.update = torch.compile(self.optimizer.step) if compiled else self.optimizer.step

    def images(self, array):
        """[n, 28, 28, 1] as PyTorch's [n, 1, 28, 28]; with one channel both orders are the same bytes."""
        return torch.from_numpy(array).reshape(-1, 1, 28, 28).contiguous(memory_format=self.layout)

    def step(self, x, y):
        self.optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(self.call(x), y).backward()
        self.update()

    def train(self, x, y, epochs):
        """Seconds of each epoch, and images a second of the fastest block."""
        x, y = self.images(x), torch.from_numpy(y)
        self.model.train()
        for start in range(0, 5 * mnist.BATCH, mnist.BATCH):  # compiles
            self.step(x[start : start + mnist.BATCH], y[start : start + mnist.BATCH])
        blocks, seconds = mnist.Blocks(), []
        for _ in range(epochs):
            with mnist.clock(seconds):
                order = torch.randperm(len(x))
                for number, start in enumerate(range(0, len(x), mnist.BATCH)):
                    chosen = order[start : start + mnist.BATCH]
                    self.step(x[chosen], y[chosen])
                    if number % mnist.BLOCK == mnist.BLOCK - 1:
                        blocks.end(mnist.BLOCK * mnist.BATCH)
            blocks.start()
        return seconds, blocks.fastest

    def predictor(self):
        """A function from images to scores, and what it takes them from."""
        self.model.eval()

        def predict(x):
            with torch.inference_mode():
                return self.call(x)

        return predict, self.images

    def accuracy(self, x, y):
        predict, images = self.predictor()
        x = images(x)
        classes = [predict(x[i : i + mnist.BATCH]).argmax(1).numpy() for i in range(0, len(x), mnist.BATCH)]
        return float((np.concatenate(classes) == y).mean())
