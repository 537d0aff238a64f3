"""Trains MnistConvNet with one peer and prints one JSON line.

    python train.py torch-compile --data-dir DIR [--epochs 1] [--images 60000] [--threads 2] [--mkl-avx512]

The network and its training are those of `thumbnet_models::MnistConvNet`: 5x5 convolutions, Adadelta with learning rate
1.0, rho 0.95 and epsilon 1e-7, batches of 50.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

# Tuning for another library's kernels, which some machines set for everybody.
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

PEERS = [
    *("torch-eager", "torch-channels-last", "torch-compile", "torch-compile-channels-last"),
    *("keras-best", "keras-fit", "jax"),
]

MKL_SHIM = "int mkl_serv_intel_cpu_true(void) { return 1; }\nint mkl_serv_intel_cpu(void) { return 1; }\n"
"""MKL asks these two functions whether it may use all instructions that the CPU has. PyTorch exports them, so a library
that is loaded first answers instead: MKL then takes its AVX-512 kernels on a CPU of any maker. No user is told to."""


def run_with_mkl_avx512():
    """Starts this program again with the shim; fails if MKL does not say that it uses AVX-512."""
    folder = pathlib.Path(os.environ.get("TORCHINDUCTOR_CACHE_DIR") or tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    shim, source = folder / "mkl_shim.so", folder / "mkl_shim.c"
    source.write_text(MKL_SHIM)
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", shim, source], check=True)
    environment = {**os.environ, "LD_PRELOAD": str(shim)}
    probe = [sys.executable, "-c", "import torch; torch.mm(torch.ones(64, 64), torch.ones(64, 64))"]
    said = subprocess.run(probe, env={**environment, "MKL_VERBOSE": "1"}, capture_output=True, text=True, check=True)
    if "AVX-512" not in said.stdout:
        sys.exit(f"MKL does not take its AVX-512 path here; it says: {said.stdout[:200]}")
    arguments = [argument for argument in sys.argv if argument != "--mkl-avx512"]
    os.execve(sys.executable, [sys.executable, *arguments], {**environment, "THUMBNET_MKL": "avx512"})


def peer_named(name, **options):
    if name.startswith("torch"):
        from torch_peers import Torch

        return Torch(channels_last="channels-last" in name, compiled="compile" in name, **options)
    if name == "jax":
        from jax_peers import Jax

        return Jax(**options)
    from keras_peers import Keras

    return Keras(best=name == "keras-best", **options)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("--network", default="mnist-convnet", choices=["mnist-convnet", "resnet8", "ds-cnn"])
    parser.add_argument("--data-dir", required=True, help="folder of MNIST's four files, unpacked")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--images", type=int, default=60_000, help="how many training images an epoch has")
    parser.add_argument("--threads", type=int, help="default: what the library takes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mkl-avx512", action="store_true", help="talk MKL into AVX-512 (PyTorch only)")
    options = parser.parse_args()
    if options.mkl_avx512:
        run_with_mkl_avx512()

    import mnist

    peer = peer_named(options.peer, network=options.network, threads=options.threads, seed=options.seed)
    x, y = mnist.load(options.data_dir, "train", options.network, options.images)
    seconds, fastest = peer.train(x, y, options.epochs)
    training_rss = mnist.peak_rss_mib()
    test_x, test_y = mnist.load(options.data_dir, "t10k", options.network)
    predict, convert = peer.predictor()
    inference = {b: round(mnist.throughput(predict, convert(test_x), b), 1) for b in (50, 1)}
    mnist.report(
        peer=options.peer + ("-mkl-avx512" if os.environ.get("THUMBNET_MKL") else ""),
        version=peer.version,
        epochs=options.epochs,
        images=len(x),
        images_per_second=len(x) * len(seconds) / sum(seconds),
        fastest_block_images_per_second=fastest,
        seconds_per_epoch=sum(seconds) / len(seconds),
        peak_rss_mib=training_rss,
        test_accuracy=peer.accuracy(test_x, test_y),
        inference_images_per_second=inference,
    )


if __name__ == "__main__":
    main()
