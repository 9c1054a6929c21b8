#!/usr/bin/env python3
"""LDA by svi-train, gensim and scikit-learn: the same split, settings and hold-out, one core each.

    benchmarks/topics/compare.py                  installs the peers into benchmarks/.venv, then measures
    benchmarks/topics/compare.py --repeats 3      each tool three times, in turn, with the seeds 1, 2 and 3

Hold-out: document completion. θ is fitted by each tool's own inference on the observed half of each held-out
document; the predicted half is scored by p(w) = Σ_k E[θ_k] E[β_kw]. `svi-data split` writes these halves from
the keyed hash that svi-train itself uses, whose own figure stands beside the peers'.
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
VENV = ROOT / "benchmarks/.venv"
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}

TOPICS, ALPHA, ETA = 100, 0.1, 0.01
BATCH, DELAY, FORGETTING_RATE = 256, 10, 0.7
TOLERANCE, MAX_ITERATIONS = 1e-3, 100


def enter_environment():
    """Starts this script anew, with one thread, under the Python that has the peers."""
    python = VENV / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    requirements = pathlib.Path(__file__).with_name("requirements.txt")
    subprocess.run([python, "-m", "pip", "install", "-q", "-r", requirements], check=True)
    os.environ.update(ONE_THREAD)
    os.execv(python, [str(python), *sys.argv])


TOOLS = ["svi-train", "gensim, float32", "gensim, float64", "scikit-learn, float32", "scikit-learn, float64",
         "svi-train, 2 ranks"]
UNIT = "gensim, float32"


def read_counts(path):
    import h5py
    import scipy.sparse

    with h5py.File(path) as file:
        counts = file["X"]
        return scipy.sparse.csr_matrix(
            (counts["data"][:], counts["indices"][:], counts["indptr"][:]), shape=tuple(counts.attrs["shape"]))


def log_likelihood_per_word(theta, beta, predicted):
    """theta [D, K] and beta [K, V] with rows that sum to one."""
    import numpy

    total = 0.0
    for document in range(predicted.shape[0]):
        row = slice(predicted.indptr[document], predicted.indptr[document + 1])
        total += predicted.data[row] @ numpy.log(theta[document] @ beta[:, predicted.indices[row]])
    return total / predicted.data.sum()


def normalized(rows):
    return rows / rows.sum(axis=1, keepdims=True)


def gensim_corpus(counts):
    return [list(zip(counts.indices[a:b].tolist(), counts.data[a:b].tolist()))
            for a, b in zip(counts.indptr[:-1], counts.indptr[1:])]


def run_gensim(data, epochs, precision, seed):
    """Its step size is (offset + pass + batches of the first pass)^−decay: constant within later passes."""
    import gensim
    import numpy

    numpy.random.seed(seed)
    train = gensim_corpus(data["train"][numpy.random.permutation(data["train"].shape[0])])
    words = {word: str(word) for word in range(data["train"].shape[1])}
    start = time.perf_counter()
    model = gensim.models.LdaModel(
        train, num_topics=TOPICS, id2word=words, alpha=ALPHA, eta=ETA, chunksize=BATCH, passes=epochs,
        update_every=1, decay=FORGETTING_RATE, offset=DELAY, iterations=MAX_ITERATIONS,
        gamma_threshold=TOLERANCE, eval_every=None, random_state=seed, dtype=getattr(numpy, precision))
    seconds = time.perf_counter() - start
    theta = normalized(model.inference(gensim_corpus(data["observed"]))[0])
    return seconds, log_likelihood_per_word(theta, model.get_topics(), data["predicted"])


def run_sklearn(data, epochs, precision, seed):
    """Counts its batches from 1, so its offset is one less; rows are shuffled anew for each epoch."""
    import numpy
    from sklearn.decomposition import LatentDirichletAllocation

    train = data["train"].astype(precision)
    random = numpy.random.RandomState(seed)
    model = LatentDirichletAllocation(
        TOPICS, doc_topic_prior=ALPHA, topic_word_prior=ETA, learning_method="online", batch_size=BATCH,
        learning_decay=FORGETTING_RATE, learning_offset=DELAY - 1, mean_change_tol=TOLERANCE,
        max_doc_update_iter=MAX_ITERATIONS, total_samples=train.shape[0], n_jobs=1, random_state=seed)
    shuffled = [train[random.permutation(train.shape[0])] for _ in range(epochs)]
    start = time.perf_counter()
    for rows in shuffled:
        model.partial_fit(rows)
    seconds = time.perf_counter() - start
    theta = model.transform(data["observed"].astype(precision))
    return seconds, log_likelihood_per_word(theta, normalized(model.components_), data["predicted"])


def run_svi(arguments, work, ranks, seed):
    run = work / f"svi-{ranks}"
    shutil.rmtree(run, ignore_errors=True)
    command = [arguments.program, ROOT / "configs/lda-debian.yaml", "--run-dir", run,
               "--set", f"data.train={arguments.data}", "--set", f"train.epochs={arguments.epochs}",
               "--set", "evaluation.every_epochs=0", "--set", f"run.seed={seed}"]
    if ranks > 1:
        command = ["bash", "-c", f"source {ROOT}/launch/environment.sh; exec mpirun -np {ranks} \"$@\"", "-", *command]
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    lines = [json.loads(line) for line in open(run / "metrics.jsonl")]
    evaluation = [line for line in lines if line["kind"] == "evaluation" and line["split"] == "validation"][-1]
    return evaluation["seconds"], evaluation["log_likelihood_per_word"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "data/debian.h5")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--tools", nargs="+", default=TOOLS)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/bin", help="where the programs are")
    arguments = parser.parse_args()
    if pathlib.Path(sys.prefix) != VENV:
        enter_environment()

    import gensim
    import numpy
    import sklearn
    sys.path.insert(0, str(ROOT / "benchmarks"))
    import machine

    arguments.program = arguments.bin / "svi-train"
    work = ROOT / "data/benchmark-topics"
    subprocess.run([arguments.bin / "svi-data", "split", arguments.data, "--fraction", "0.1", "--split-seed", "1",
                    "--output-dir", work], check=True, stdout=subprocess.DEVNULL)
    data = {"train": read_counts(work / "train.h5"), "observed": read_counts(work / "validation-observed.h5"),
            "predicted": read_counts(work / "validation-predicted.h5")}
    documents, words = data["train"].shape
    print(f"{documents} training documents, V = {words}, {data['observed'].shape[0]} held out, "
          f"{int(data['predicted'].sum())} words to predict; K = {TOPICS}, {arguments.epochs} epochs", flush=True)

    tools = {"svi-train": lambda seed: run_svi(arguments, work, 1, seed),
             "svi-train, 2 ranks": lambda seed: run_svi(arguments, work, 2, seed)}
    for precision in ("float32", "float64"):
        tools[f"gensim, {precision}"] = lambda seed, p=precision: run_gensim(data, arguments.epochs, p, seed)
        tools[f"scikit-learn, {precision}"] = lambda seed, p=precision: run_sklearn(data, arguments.epochs, p, seed)
    results = {name: [] for name in arguments.tools}
    for seed in range(1, arguments.repeats + 1):
        for name in arguments.tools:
            results[name].append(tools[name](seed))
            seconds, hold_out = results[name][-1]
            print(f"  {name}: {seconds:.1f} s, {hold_out:.4f}", flush=True)

    rates = {name: [documents * arguments.epochs / seconds for seconds, _ in runs] for name, runs in results.items()}
    unit = statistics.median(rates.get(UNIT, next(iter(rates.values()))))
    print()
    machine.print_table(
        ["tool", "hold-out, nats a word", "documents a second", f"times {UNIT if UNIT in rates else 'the first'}"],
        [[name, machine.spread([hold_out for _, hold_out in runs], 4), machine.spread(rates[name], 0),
          f"{statistics.median(rates[name]) / unit:.2f}"] for name, runs in results.items()])
    machine.print_facts({"gensim": gensim.__version__, "scikit-learn": sklearn.__version__, "numpy": numpy.__version__,
                         "Python": sys.version.split()[0]})


if __name__ == "__main__":
    main()
