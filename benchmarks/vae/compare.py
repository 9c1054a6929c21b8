#!/usr/bin/env python3
"""The VAE of configs/vae-fashion-mnist.yaml: svi-train beside the PyTorch script with its fused Adam.

    launch/setup.sh --tests && .venv/bin/python benchmarks/vae/compare.py

Both take one thread, the same images, 784-400-20 at batch 128, and go through the rows in random order. What
is timed is a training step with the gathering of its minibatch, after a warm-up. The two are measured in turn,
as machines change their speed: the ratio of each pair counts, and the median of the ratios.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BATCH, HIDDEN, LATENT, LEARNING_RATE = 128, 400, 20, 1e-3
WARM_UP = 100


def read_images(path):
    import h5py
    import torch

    with h5py.File(path) as file:
        return torch.from_numpy(file["x"][:]).reshape(-1, 784).float() / 255


def vae():
    """The network of PyTorch's VAE example."""
    import torch
    from torch import nn
    from torch.nn import functional

    class Vae(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = nn.Linear(784, HIDDEN)
            self.mean = nn.Linear(HIDDEN, LATENT)
            self.log_variance = nn.Linear(HIDDEN, LATENT)
            self.decoder_hidden = nn.Linear(LATENT, HIDDEN)
            self.pixels = nn.Linear(HIDDEN, 784)

        def loss(self, x):
            h = functional.relu(self.hidden(x))
            mean, log_variance = self.mean(h), self.log_variance(h)
            z = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
            logits = self.pixels(functional.relu(self.decoder_hidden(z)))
            minus_reconstruction = functional.binary_cross_entropy_with_logits(logits, x, reduction="sum")
            kl = -0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp())
            return (minus_reconstruction + kl) / x.shape[0]

    return Vae()


def pytorch_step_ms(images, steps):
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(1)
    model = vae()
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=True)
    rows = torch.cat([torch.randperm(images.shape[0]) for _ in range(1 + (WARM_UP + steps) * BATCH // images.shape[0])])
    for step in range(WARM_UP + steps):
        if step == WARM_UP:
            start = time.perf_counter()
        optimizer.zero_grad()
        model.loss(images[rows[step * BATCH:(step + 1) * BATCH]]).backward()
        optimizer.step()
    return (time.perf_counter() - start) / steps * 1000


def svi_step_ms(arguments):
    run = ROOT / "data/benchmark-vae"
    shutil.rmtree(run, ignore_errors=True)
    command = [arguments.bin / "svi-train", ROOT / "configs/vae-fashion-mnist.yaml", "--run-dir", run]
    settings = [f"data.train={arguments.data}", f"train.steps={WARM_UP + arguments.steps}",
                f"run.log_every_steps={WARM_UP}", "evaluation.every_epochs=0"]
    for setting in settings:
        command += ["--set", setting]
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    lines = [json.loads(line) for line in open(run / "metrics.jsonl")]
    seconds = {line["step"]: line["seconds"] for line in lines if line["kind"] == "train"}
    return (seconds[WARM_UP + arguments.steps] - seconds[WARM_UP]) / arguments.steps * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "data/fashion-mnist-train.h5")
    parser.add_argument("--steps", type=int, default=1500, help="timed in each measurement; a multiple of 100")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/bin", help="where svi-train is")
    arguments = parser.parse_args()
    os.environ.update({name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")})
    try:
        import torch
        images = read_images(arguments.data)
    except ImportError as error:
        sys.exit(f"{error}: launch/setup.sh --tests, then start this with .venv/bin/python")
    sys.path.insert(0, str(ROOT / "benchmarks"))
    import machine

    pairs = []
    for _ in range(arguments.pairs):
        pairs.append((svi_step_ms(arguments), pytorch_step_ms(images, arguments.steps)))
        print(f"  svi-train {pairs[-1][0]:.2f} ms, PyTorch {pairs[-1][1]:.2f} ms", flush=True)
    ratios = [pytorch / svi for svi, pytorch in pairs]
    print()
    machine.print_table(
        ["tool", "ms a step, median (range)", "least", "times PyTorch, median (range)"],
        [["svi-train", machine.spread([svi for svi, _ in pairs], 2), f"{min(svi for svi, _ in pairs):.2f}",
          machine.spread(ratios, 2)],
         ["PyTorch, fused Adam", machine.spread([pytorch for _, pytorch in pairs], 2),
          f"{min(pytorch for _, pytorch in pairs):.2f}", "1"]])
    machine.print_facts({"PyTorch": torch.__version__, "Python": sys.version.split()[0]})
    print(f"median ratio {statistics.median(ratios):.2f} over {arguments.pairs} pairs of {arguments.steps} steps")


if __name__ == "__main__":
    main()
