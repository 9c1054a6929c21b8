#!/usr/bin/env python3
"""What each remedy against posterior collapse does to a VAE on Fashion-MNIST: active units, KL and -ELBO of the test images.

    build/bin/svi-data fetch fashion-mnist && benchmarks/vae/collapse.py             20 epochs each, one thread
    benchmarks/vae/collapse.py --epochs 5 --remedies plain "free bits 0.1" --seeds 1 2 3

The network is that of configs/vae-fashion-mnist.yaml, 784-400-20. Runs go to --directory and resume there, so that a
table that was broken off goes on. docs/posterior-collapse.md holds the table.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import machine


def remedies(epochs):
    warm_up = max(1, epochs // 2)
    half = {"objective.kl.warmup_epochs": warm_up}
    return {"plain": {},
            "β = 4": {"objective.kl.weight": 4},
            "linear schedule": {"objective.kl.schedule": "linear", **half},
            "cyclical schedule": {"objective.kl.schedule": "cyclical", **half},
            "balancing, 4 groups": {"objective.kl.schedule": "linear", "objective.kl.balancing": "true",
                                    "objective.kl.groups": 4, **half},
            "free bits 0.1": {"objective.kl.free_bits": 0.1},
            "free bits 0.5": {"objective.kl.free_bits": 0.5},
            "capacity 25": {"objective.kl.capacity": 25, "objective.kl.capacity_weight": 10},
            "IWAE, 5 samples": {"objective.bound": "iwae", "objective.samples": 5},
            "14 dimensions": {"model.latent": 14}}


def train(name, keys, seed, arguments):
    """The test figures of a run, and how many dimensions its event names."""
    folder = arguments.directory / f"{name.replace(' ', '-').replace(',', '')}-{arguments.epochs}-epochs-seed-{seed}"
    command = [arguments.bin / "svi-train", ROOT / "configs/vae-fashion-mnist.yaml", "--run-dir", folder]
    for key, value in {"data.train": arguments.train, "data.test": arguments.test, "train.epochs": arguments.epochs,
                       "run.seed": seed, "device.threads": 1, **keys}.items():
        command += ["--set", f"{key}={value}"]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})
    if done.returncode != 0:
        sys.exit(f"{name}: {done.stderr}")
    lines = [json.loads(line) for line in open(folder / "metrics.jsonl")]
    test = next(line for line in lines if line.get("split") == "test")
    events = [line["text"] for line in lines if line.get("event") == "posterior_collapse"]
    return test, events


def row(name, keys, arguments):
    runs = [train(name, keys, seed, arguments) for seed in arguments.seeds]
    for _, events in runs[:1]:
        for text in events:
            print(f"{name}: {text}", file=sys.stderr)
    column = lambda figure: [test[figure] for test, _ in runs]
    mean = lambda values, digits: f"{statistics.mean(values):.{digits}f}"
    collapsed = [sum(kl < 0.01 for kl in test["kl_per_dimension"]) for test, _ in runs]
    settings = ", ".join(f"`{key}: {value}`" for key, value in keys.items()) or "β = 1, nothing else"
    return [name, settings, mean(column("active_units"), 1), mean(collapsed, 1), mean(column("kl"), 2),
            mean([-value for value in column("elbo")], 2)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--remedies", nargs="+", choices=list(remedies(20)), default=list(remedies(20)))
    parser.add_argument("--train", type=pathlib.Path, default=ROOT / "data/fashion-mnist-train.h5")
    parser.add_argument("--test", type=pathlib.Path, default=ROOT / "data/fashion-mnist-test.h5")
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/bin")
    parser.add_argument("--directory", type=pathlib.Path, default=ROOT / "runs/collapse")
    arguments = parser.parse_args()
    all_remedies = remedies(arguments.epochs)
    print(f"Fashion-MNIST, 784-400-20, {arguments.epochs} epochs, test images; seeds {arguments.seeds}, means")
    rows = [row(name, all_remedies[name], arguments) for name in arguments.remedies]
    machine.print_table(["", "keys", "active units", "KL < 0.01 nats", "KL, nats", "−ELBO, nats"], rows)


if __name__ == "__main__":
    main()
