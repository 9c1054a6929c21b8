#!/usr/bin/env python3
"""LDA with a vocabulary of a million words beside one of ten thousand: seconds a step, and peak memory.

    benchmarks/topics/large_vocabulary.py             K = 100, minibatches of 256 documents, one core

Three made-up corpora of equally long documents, words by Zipf's law, in a temporary folder (--folder says where):

- small: over V = 10,000 words;
- spread: the same documents, their words spread evenly over V = 1,000,000. Minibatches hold the same words and counts,
  so what a step takes longer here is the price of the vocabulary, and this is the ratio to judge;
- wide: documents over all of V = 1,000,000, as a real corpus has them. Their minibatches hold more distinct words, and
  a step's cost follows these; hence the time per distinct word beside it.

λ starts at random for every word, those that never occur included, so the two do not compute the same numbers, and
E-steps may take more iterations in one than in the other. So both are trained once more with a fixed number of them.

Runs take turns (--repeats) and log every --log-every steps. A log line and a checkpoint cost O(K V): the topics' KL and
the file go over all of λ. That is not part of svi-train's training seconds, but it cools the caches for the next step; so
lines are rare, a step's time is the median over their intervals without the first two, and what a line takes is told
apart, from a run that writes one after every step. No hold-out, so no evaluation.

Peak memory is the process's (getrusage), beside that of the same run with K = 1, and what `svi-train --dry-run` says.
The promise: 2 K V numbers of four bytes, the blocks of one minibatch, and what the program takes without them.
Needs h5py and numpy: launch/setup.sh --tests makes .venv with both.
"""

import argparse
import json
import pathlib
import re
import statistics
import sys
import tempfile
import time

import h5py
import numpy

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "benchmarks"), str(pathlib.Path(__file__).parent)]
import compare  # noqa: E402
import machine  # noqa: E402
import synthetic  # noqa: E402

SMALL = 10_000
CORPORA = ("small", "spread", "wide")
LEFT_OUT = 2  # intervals: the first steps touch memory for the first time, and their E-steps are longer


def write_corpora(folder, arguments):
    """Their distinct words in a minibatch: means over random ones, of which svi-train's are."""
    generator = numpy.random.default_rng(1)
    shape = arguments.documents, arguments.words
    words = {"small": synthetic.zipf_documents(generator, *shape, SMALL),
             "wide": synthetic.zipf_documents(generator, *shape, arguments.vocabulary)}
    places = numpy.arange(SMALL, dtype=numpy.int64) * arguments.vocabulary // SMALL
    words["spread"] = places.astype(numpy.int32)[words["small"]]
    counts = synthetic.zipf_counts(generator, shape)
    for corpus in CORPORA:
        vocabulary = SMALL if corpus == "small" else arguments.vocabulary
        synthetic.write_corpus(folder / f"{corpus}.h5", [(words[corpus], counts)], *shape, vocabulary)
    draws = [generator.choice(arguments.documents, arguments.batch, replace=False) for _ in range(30)]
    return {corpus: statistics.mean(len(numpy.unique(words[corpus][rows])) for rows in draws) for corpus in CORPORA}


def command(folder, corpus, name, arguments, **model):
    """Of a run; its file is written. `model`: what differs from the usual."""
    configuration = {
        "run": {"name": name, "directory": str(folder), "log_every_steps": arguments.log_every},
        "data": {"train": str(folder / f"{corpus}.h5")},
        "model": {"type": "lda", "topics": arguments.topics, "alpha": 0.1, "eta": 0.01, "tolerance": 1e-3,
                  "max_iterations": 100, **model},
        "optimizer": {"type": "robbins_monro", "delay": 10, "forgetting_rate": 0.7},
        "train": {"batch": arguments.batch, "steps": arguments.steps},
        "checkpoint": {"every_seconds": 0},
        "device": {"threads": 1},
    }
    file = folder / f"{name}.yaml"
    file.write_text(json.dumps(configuration))
    return [arguments.bin / "svi-train", file]


def train(folder, corpus, name, arguments, **model):
    words = command(folder, corpus, name, arguments, **model)
    begun = time.perf_counter()
    _, mebibytes = compare.run(words)
    seconds = time.perf_counter() - begun
    lines = [json.loads(line) for line in open(folder / name / "metrics.jsonl")]
    lines = [line for line in lines if line["kind"] == "train"]
    ends = [0.0, *(line["seconds"] for line in lines)]
    steps = [0, *(line["step"] for line in lines)]
    a_step = [(end - start) / (last - first) for start, end, first, last in zip(ends, ends[1:], steps, steps[1:])]
    kept = slice(LEFT_OUT, None)
    return {"step": statistics.median(a_step[kept]), "megabytes": mebibytes * 1.048576, "besides": seconds - ends[-1],
            "iterations": statistics.median(line["e_step_iterations"] for line in lines[kept]), "lines": len(lines)}


def measure(folder, arguments):
    """Runs by (corpus, whether the number of iterations is fixed)."""
    fixed = {"tolerance": 1e-30, "max_iterations": arguments.iterations}
    kinds = [(corpus, False) for corpus in CORPORA] + [("small", True), ("spread", True)]
    runs = {kind: [] for kind in kinds}
    for repeat in range(arguments.repeats):
        for kind in kinds:
            name = f"{kind[0]}{'-fixed' if kind[1] else ''}-{repeat}"
            runs[kind].append(train(folder, kind[0], name, arguments, **(fixed if kind[1] else {})))
            rounded = {key: round(value, 5) for key, value in runs[kind][-1].items()}
            print(f"  {name}: {json.dumps(rounded)}", flush=True)
    return runs


def report_steps(runs, distinct, arguments):
    def milliseconds(kind):
        return [1e3 * run["step"] for run in runs[kind]]

    machine.print_table(
        ["corpus", "V", "distinct words a minibatch", "E-step iterations", "ms a step", "times small", "µs a distinct word"],
        [[corpus, SMALL if corpus == "small" else arguments.vocabulary, f"{distinct[corpus]:.0f}",
          f"{statistics.median(run['iterations'] for run in runs[corpus, fixed]):.1f}{', fixed' if fixed else ''}",
          machine.spread(milliseconds((corpus, fixed)), 2),
          machine.spread([its / small for its, small in
                          zip(milliseconds((corpus, fixed)), milliseconds(("small", fixed)))], 2),
          f"{1e3 * statistics.median(milliseconds((corpus, fixed))) / distinct[corpus]:.2f}"] for corpus, fixed in runs])


def report_lines(folder, runs, arguments):
    rare = runs["wide", False]
    steps = rare[0]["lines"] + 10
    often = train(folder, "wide", "often", argparse.Namespace(**{**vars(arguments), "steps": steps, "log_every": 1}))
    besides = statistics.median(run["besides"] for run in rare)
    a_line = (often["besides"] - besides) / (often["lines"] - rare[0]["lines"])
    print(f"wide: besides training {besides:.2f} s a run: start, reading, {rare[0]['lines']} log lines, a checkpoint; a log "
          f"line takes {a_line:.2f} s")


def report_memory(folder, runs, distinct, arguments):
    """In MB of 10^6 bytes, of the wide corpus."""
    one = train(folder, "wide", "one-topic", arguments, topics=1)["megabytes"]
    peak = max(run["megabytes"] for run in runs["wide", False])
    matrix = 4e-6 * arguments.vocabulary * arguments.topics  # λ
    block = 4e-6 * distinct["wide"] * arguments.topics
    more = peak - one
    promised = 2 * (matrix - matrix / arguments.topics)
    print(f"wide: peak {peak:.0f} MB, with K = 1 {one:.0f} MB; difference {more:.0f} MB = {more / matrix:.2f} K V numbers; "
          f"promised {promised:.0f} MB and a minibatch's blocks ({block:.1f} MB each): "
          f"{'kept' if more <= promised + 2 * block else 'NOT KEPT'}")
    plan, _ = compare.run([*command(folder, "wide", "plan", arguments), "--dry-run"])
    print(re.search(r"memory per rank.*", plan)[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocabulary", type=int, default=1_000_000, help=f"of the large ones, at least {SMALL}")
    parser.add_argument("--topics", type=int, default=100)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--words", type=int, default=100, help="distinct ones of each document")
    parser.add_argument("--iterations", type=int, default=25, help="of an E-step, where their number is fixed")
    parser.add_argument("--steps", type=int, default=320)
    parser.add_argument("--log-every", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", default=None, help="where the corpora and runs lie meanwhile")
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/bin", help="where the programs are")
    arguments = parser.parse_args()
    if arguments.vocabulary < SMALL:
        parser.error(f"--vocabulary must be at least {SMALL}")
    if arguments.steps <= LEFT_OUT * arguments.log_every:
        parser.error(f"--steps must be more than {LEFT_OUT} times --log-every")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = pathlib.Path(name)
        distinct = write_corpora(folder, arguments)
        print(f"{arguments.documents:,} documents of {arguments.words} distinct words, K = {arguments.topics}, "
              f"{arguments.steps} steps of {arguments.batch} documents ({arguments.batch * arguments.words:,} nonzeros), "
              "one core", flush=True)
        runs = measure(folder, arguments)
        report_steps(runs, distinct, arguments)
        report_lines(folder, runs, arguments)
        report_memory(folder, runs, distinct, arguments)
    machine.print_facts({"python": sys.version.split()[0], "h5py": h5py.__version__})


if __name__ == "__main__":
    main()
