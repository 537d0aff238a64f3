"""PyTorch: eager, channels_last and compiled. Batches are gathered from one tensor, which no DataLoader can beat."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import mnist


def build(network):
    """The network of that name. The softmax is in the loss, where PyTorch wants it. Strided convolutions are padded
    alike on both sides, which spares PyTorch a copy."""
    shape, classes = mnist.SHAPES[network], mnist.CLASSES[network]
    return {"mnist-convnet": mnist_convnet, "resnet8": ResNet8, "ds-cnn": ds_cnn}[network](shape[2], classes)


def mnist_convnet(channels, classes):
    return nn.Sequential(
        nn.Conv2d(channels, 32, 5, padding=2),
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
        nn.Linear(256, classes),
    )


def normalized(conv):
    """A convolution and Keras's BatchNormalization."""
    return nn.Sequential(conv, nn.BatchNorm2d(conv.out_channels, eps=1e-3, momentum=0.01))


class Residual(nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        self.first = normalized(nn.Conv2d(channels, filters, 3, stride, padding=1))
        self.second = normalized(nn.Conv2d(filters, filters, 3, padding=1))
        self.shortcut = nn.Identity() if stride == 1 else nn.Conv2d(channels, filters, 1, stride)

    def forward(self, x):
        return F.relu(self.shortcut(x) + self.second(F.relu(self.first(x))))


class ResNet8(nn.Sequential):
    def __init__(self, channels, classes):
        stem = [normalized(nn.Conv2d(channels, 16, 3, padding=1)), nn.ReLU()]
        stacks = [Residual(16, 16, 1), Residual(16, 32, 2), Residual(32, 64, 2)]
        super().__init__(*stem, *stacks, nn.AvgPool2d(8), nn.Flatten(), nn.Linear(64, classes))


def ds_cnn(channels, classes):
    layers = [normalized(nn.Conv2d(channels, 64, (10, 4), 2, padding=(5, 1))), nn.ReLU(), nn.Dropout(0.2)]
    for _ in range(4):
        layers += [normalized(nn.Conv2d(64, 64, 3, padding=1, groups=64)), nn.ReLU()]
        layers += [normalized(nn.Conv2d(64, 64, 1)), nn.ReLU()]
    layers += [nn.Dropout(0.4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes)]
    return nn.Sequential(*layers)


def glorot(module):
    """Keras's initial values."""
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


class Torch:
    """One way to train with PyTorch."""

    version = torch.__version__

    def __init__(self, network, channels_last, compiled, threads, seed):
        if threads:
            torch.set_num_threads(threads)
        torch.manual_seed(seed)
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        self.model = build(network).apply(glorot).to(memory_format=self.layout)
        self.optimizer = torch.optim.Adadelta(self.model.parameters(), lr=1.0, rho=0.95, eps=1e-7, foreach=True)
        self.call = torch.compile(self.model) if compiled else self.model
        self.update = torch.compile(self.optimizer.step) if compiled else self.optimizer.step

    def images(self, array):
        """[n, height, width, channels] as PyTorch's [n, channels, height, width]; of one channel these are the same
        bytes."""
        n, height, width, channels = array.shape
        images = torch.from_numpy(array)
        images = images.reshape(n, 1, height, width) if channels == 1 else images.permute(0, 3, 1, 2)
        return images.contiguous(memory_format=self.layout)

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
