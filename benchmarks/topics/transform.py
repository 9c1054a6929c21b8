#!/usr/bin/env python3
"""The topics of documents by a trained model: svi-infer transform beside gensim's `inference`, one core.

    benchmarks/topics/transform.py                       the Debian descriptions, K = 100, scvb0 and variational
    benchmarks/topics/transform.py --corpora linux-doc --repeats 5

svi-train trains as the corpus' file in configs/ says, and by the variational method; `svi-infer export` hands gensim the
same topics and prior. gensim's seconds are those of `LdaModel.inference` on documents that are in memory as it wants them;
ours are given twice: those of fitting alone, and those of the whole program, which starts, reads its model and the
documents, and writes an .h5ad. Both in float32, turn by turn. How alike the two methods' topics of documents are is told as
the mean of the distance Σ_k |θ_k − θ'_k| / 2.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
import compare  # noqa: E402
import machine  # noqa: E402

METHODS = {"scvb0": {}, "variational": {"model.inference": "variational", "model.alpha": 0.1, "model.max_iterations": 100,
                                        "optimizer.forgetting_rate": 0.7}}


def read_theta(path):
    import h5py

    with h5py.File(path) as file:
        return file["obsm/X_topics"][:]


def of_ours(arguments, run, data, output):
    start = time.perf_counter()
    command = [arguments.bin / "svi-infer", "transform", run, data, "--output", output, "--json"]
    fitting = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["fitting_seconds"]
    return fitting, time.perf_counter() - start


def of_gensim(model, bags):
    start = time.perf_counter()
    gamma, _ = model.inference(bags)
    return time.perf_counter() - start, gamma / gamma.sum(axis=1, keepdims=True)


def measure(arguments, corpus, method, folder):
    import gensim
    import peers

    data = compare.ROOT / f"data/{corpus}.h5"
    keys = {"data.train": data, "model.topics": arguments.topics, "evaluation.every_epochs": 0, **METHODS[method]}
    compare.train_svi(arguments, f"lda-{corpus}.yaml", keys, folder / "run")
    compare.run([arguments.bin / "svi-infer", "export", folder / "run", "--format", "gensim", "--output",
                 folder / "lda.gensim"])
    model = gensim.models.LdaModel.load(str(folder / "lda.gensim"))
    bags = peers.bags(peers.read_counts(data))
    fitting, whole, theirs = [], [], []
    for _ in range(arguments.repeats):
        for values, value in zip((fitting, whole), of_ours(arguments, folder / "run", data, folder / "theta.h5ad")):
            values.append(len(bags) / value)
        seconds, theta = of_gensim(model, bags)
        theirs.append(len(bags) / seconds)
    distance = abs(read_theta(folder / "theta.h5ad") - theta).sum(axis=1).mean() / 2
    name = f"{corpus}, {method}"
    return [[f"{name}: gensim inference", machine.spread(theirs, 0), "1", ""],
            [f"{name}: svi-infer, fitting", machine.spread(fitting, 0),
             machine.spread([a / b for a, b in zip(fitting, theirs)], 1), f"{distance:.3f}"],
            [f"{name}: svi-infer, whole program", machine.spread(whole, 0),
             machine.spread([a / b for a, b in zip(whole, theirs)], 1), ""]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--bin", type=pathlib.Path, default=compare.ROOT / "build/bin")
    parser.add_argument("--corpora", nargs="+", default=["debian"], choices=["debian", "linux-doc"])
    parser.add_argument("--topics", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    if pathlib.Path(sys.prefix) != compare.VENV:
        compare.enter_environment()
    import gensim

    rows = []
    for corpus in arguments.corpora:
        for method in METHODS:
            with tempfile.TemporaryDirectory() as folder:
                rows += measure(arguments, corpus, method, pathlib.Path(folder))
    machine.print_table(["documents a second", "median (range)", "times gensim", "mean distance of θ"], rows)
    machine.print_facts({"gensim": gensim.__version__})


if __name__ == "__main__":
    main()
