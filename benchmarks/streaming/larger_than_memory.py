#!/usr/bin/env python3
"""LDA on a corpus four times as large as the memory it may take, beside a small one that is held in memory.

    benchmarks/streaming/larger_than_memory.py            4 GB of word counts under data.memory_limit: 1 GiB

Makes the corpus in a temporary folder (--folder says where; it goes away afterwards), trains some hundred steps
with `data.shuffle: windowed` and prints the process's peak memory (getrusage) and rows a second. The small corpus
has documents of the same kind and is trained with minibatches of the same size, once held and once streamed.
Needs h5py and numpy.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import h5py
import numpy

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
import machine  # noqa: E402
import synthetic  # noqa: E402

TEMPLATES = 4000  # distinct documents, repeated in random order
WORDS, VOCABULARY = 100, 100_000
BLOCK = 20_000  # documents written at a time


def write_corpus(path, documents):
    generator = numpy.random.default_rng(1)
    words = synthetic.zipf_documents(generator, TEMPLATES, WORDS, VOCABULARY)
    counts = synthetic.zipf_counts(generator, words.shape)
    sizes = [min(BLOCK, documents - first) for first in range(0, documents, BLOCK)]
    chosen = (generator.integers(TEMPLATES, size=size) for size in sizes)
    synthetic.write_corpus(path, ((words[rows], counts[rows]) for rows in chosen), documents, WORDS, VOCABULARY)


def train(program, folder, corpus, name, arguments, limit):
    """Peak bytes, seconds besides training, rows a second of all training and of the median 50 steps, and what the
    plan said of rows."""
    configuration = {
        "run": {"name": name, "directory": str(folder), "log_every_steps": 50},
        "data": {"train": str(corpus), "shuffle": "windowed", "memory_limit": limit},
        "model": {"type": "lda", "topics": 20, "alpha": 0.1, "eta": 0.01},
        "optimizer": {"type": "robbins_monro", "delay": 10, "forgetting_rate": 0.7},
        "train": {"batch": arguments.batch, "steps": arguments.steps},
        "checkpoint": {"every_seconds": 0},
    }
    file = folder / f"{name}.yaml"
    file.write_text(json.dumps(configuration))
    log = folder / f"{name}.log"
    begun = time.perf_counter()
    with open(log, "w") as output:
        process = subprocess.Popen([program, file], stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{name} ended with code {process.returncode}:\n{log.read_text()}")
    lines = [json.loads(line) for line in open(folder / name / "metrics.jsonl")]
    training = [line for line in lines if line["kind"] == "train"]
    rows = next(line for line in log.read_text().splitlines() if "rows in memory" in line)
    return {"peak": usage.ru_maxrss * 1024, "before": seconds - training[-1]["seconds"],
            "rate": arguments.steps * arguments.batch / training[-1]["seconds"],
            "median": statistics.median(line["samples_per_second"] for line in training), "rows": rows.split(None, 3)[3]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bytes", type=float, default=4e9, help="of the large corpus, as words and counts")
    parser.add_argument("--limit", default="1 GiB")
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--folder", default=None, help="where the corpora lie meanwhile")
    parser.add_argument("--program", default=ROOT / "build/bin/svi-train")
    arguments = parser.parse_args()
    documents = int(arguments.bytes / 8 / WORDS)
    free = shutil.disk_usage(arguments.folder or tempfile.gettempdir()).free
    if free < 1.5 * arguments.bytes:
        sys.exit(f"{free / 1e9:.1f} GB are free, but {1.5 * arguments.bytes / 1e9:.1f} are needed: see --folder")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = pathlib.Path(name)
        write_corpus(folder / "large.h5", documents)
        write_corpus(folder / "small.h5", documents // 10)
        sizes = [(folder / f"{size}.h5").stat().st_size / 1e9 for size in ("large", "small")]
        runs = {
            "small, in memory": train(arguments.program, folder, folder / "small.h5", "held", arguments, ""),
            "small, streamed": train(arguments.program, folder, folder / "small.h5", "streamed", arguments,
                                     f"{arguments.bytes / 12:.0f}"),
            "large, streamed": train(arguments.program, folder, folder / "large.h5", "large", arguments,
                                     arguments.limit),
        }
    print(f"large: {documents:,} documents, {sizes[0]:.2f} GB; small: {documents // 10:,}, {sizes[1]:.2f} GB; K = 20, "
          f"{arguments.steps} steps of {arguments.batch}")
    machine.print_table(
        ["", "peak memory, MB", "rows a second", "of the median 50 steps", "seconds besides training"],
        [[what, f"{run['peak'] / 1e6:.0f}", f"{run['rate']:,.0f}", f"{run['median']:,.0f}", f"{run['before']:.1f}"]
         for what, run in runs.items()])
    for what, run in runs.items():
        print(f"{what}: rows in memory {run['rows']}")
    machine.print_facts({"python": sys.version.split()[0], "h5py": h5py.__version__})


if __name__ == "__main__":
    main()
