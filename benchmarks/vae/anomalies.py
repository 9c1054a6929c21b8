#!/usr/bin/env python3
"""Anomalies by a VAE's scores: each class of Fashion-MNIST held out of training in turn; areas under the ROC curve.

    launch/setup.sh --tests && .venv/bin/python benchmarks/vae/anomalies.py     the table of docs/latent.md; needs h5py

A run sees nine classes of the training set; `svi-infer score` then tells the tenth from the nine in the test set.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import h5py

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
CLASSES = ["T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"]
SCORES = ["elbo", "reconstruction"]


def hold_out(source, label, target):
    with h5py.File(source) as full, h5py.File(target, "w") as part:
        rows = full["y"][:] != label
        part["x"], part["y"] = full["x"][:][rows], full["y"][:][rows]


def areas(label, arguments, folder):
    data, run = folder / "train.h5", folder / f"without-{label}"
    hold_out(arguments.data / "fashion-mnist-train.h5", label, data)
    keys = {"data.train": data, "data.test": arguments.data / "fashion-mnist-test.h5", "train.epochs": arguments.epochs}
    command = [arguments.bin / "svi-train", ROOT / "configs/vae-fashion-mnist.yaml", "--run-dir", run]
    for key, value in keys.items():
        command += ["--set", f"{key}={value}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    found = []
    for score in SCORES:
        command = [arguments.bin / "svi-infer", "score", run, keys["data.test"], "--labels-outlier", label, "--by", score,
                   "--training-rows", 0, "--json"]
        figures = json.loads(subprocess.run([str(word) for word in command], check=True, capture_output=True).stdout)
        found.append(figures["auc"])
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "data", help="where Fashion-MNIST's two files are")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/bin")
    arguments = parser.parse_args()
    import machine

    rows = []
    for label, name in enumerate(CLASSES):
        with tempfile.TemporaryDirectory() as folder:
            rows.append([f"{label}, {name}", *[f"{area:.3f}" for area in areas(label, arguments, pathlib.Path(folder))]])
        print(rows[-1], file=sys.stderr)
    machine.print_table(["held out", *[f"area by {score}" for score in SCORES]], rows)


if __name__ == "__main__":
    main()
