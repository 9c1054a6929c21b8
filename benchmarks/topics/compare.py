#!/usr/bin/env python3
"""LDA by svi-train, gensim, scikit-learn, Vowpal Wabbit and tomotopy: the same rows, settings and yardstick.

    benchmarks/topics/compare.py                       installs the peers into benchmarks/.venv, then measures
    benchmarks/topics/compare.py --topics 20 100 500 --cores 1 2 --corpora debian linux-doc --repeats 3

Tools take turns, one seed after another, each run in a process of its own. Hold-out: document completion. The
halves are those of svi-train (`svi-data split`); every tool's φ and α are judged by the same code (judge.py).
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
VENV = ROOT / "benchmarks/.venv"
HERE = pathlib.Path(__file__).parent
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}

SETTINGS = {"alpha": 0.1, "eta": 0.01, "batch": 256, "delay": 10, "forgetting_rate": 0.7, "tolerance": 1e-3,
            "max_iterations": 100}
PEERS = {"gensim, float32": ("gensim", {"precision": "float32"}),
         "gensim, float64": ("gensim", {"precision": "float64"}),
         "scikit-learn, float32": ("scikit-learn", {"precision": "float32"}),
         "scikit-learn, float64": ("scikit-learn", {"precision": "float64"}),
         "Vowpal Wabbit": ("Vowpal Wabbit", {}),
         "tomotopy": ("tomotopy", {})}
FAST = {"model.alpha": 0.1, "model.max_iterations": 2}
OURS = {  # whether it has the settings that all tools share, and what else differs from the configuration of the corpus
    "svi-train": (True, {}),
    "svi-train, all topics": (True, {"model.active_topics": "false"}),
    "svi-train, learned α": (False, {"model.inference": "variational", "model.max_iterations": 100, "model.eta": 0.1}),
    "svi-train, scvb0": (False, {}),
    "svi-train, scvb0, fast": (False, FAST)}
OURS_ON_CORES = {f"{name}, {how}": OURS[name] for name in ("svi-train", "svi-train, scvb0", "svi-train, scvb0, fast")
                 for how in ("threads", "ranks")}
OURS |= OURS_ON_CORES
UNIT = "gensim, float32"


def enter_environment():
    """Starts this script anew, with one thread, under the Python that has the peers."""
    python = VENV / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    subprocess.run([python, "-m", "pip", "install", "-q", "-r", HERE / "requirements.txt"], check=True)
    os.environ.update(ONE_THREAD)
    os.execv(python, [str(python), *sys.argv])


def run(command, **options):
    """Runs a command; its standard output, and the peak memory in MB of the largest process of its own."""
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True, **options)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}")
    return output, usage.ru_maxrss / 1024


def run_peer(tool, settings, work):
    """What peers.py prints, with φ and α as arrays: an object for each snapshot."""
    described = work / "settings.json"
    described.write_text(json.dumps({**settings, "phi": str(work / "phi")}))
    output, _ = run([sys.executable, HERE / "peers.py", tool, described])
    import numpy

    results = []
    for result in json.loads(output):
        results.append({**result, "alpha": numpy.array(result["alpha"]), "phi": numpy.load(result["phi"])})
        os.remove(result["phi"])
    return results


def train_svi(arguments, configuration, keys, run_directory, ranks=1):
    """Starts, reads data and writes a checkpoint as always; `seconds` are those of training, as it reports them."""
    shutil.rmtree(run_directory, ignore_errors=True)
    command = [arguments.bin / "svi-train", ROOT / "configs" / configuration, "--run-dir", run_directory]
    for key, value in keys.items():
        command += ["--set", f"{key}={value}"]
    if ranks > 1:
        command = ["bash", "-c", f"source {ROOT}/launch/environment.sh; exec mpirun -np {ranks} \"$@\"", "-", *command]
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    _, megabytes = run(command, env=environment)
    lines = [json.loads(line) for line in open(run_directory / "metrics.jsonl")]
    last = [line for line in lines if line["kind"] == "evaluation" and line["split"] == "validation"][-1]
    return {"seconds": last["seconds"], "megabytes": megabytes, "own_hold_out": last["log_likelihood_per_word"],
            **read_topics(run_directory)}


def read_topics(run_directory):
    """φ and α of a run's last checkpoint: α as learned, else as configured."""
    import h5py
    import numpy

    with h5py.File(max((run_directory / "checkpoints").glob("step-*.h5"))) as file:
        data = file["parameters/lambda"]
        lambdas = data.attrs["add_offset"] + data.attrs["scale_factor"] * data[:].astype(numpy.float64)
        if "parameters/alpha" in file:
            alpha = file["parameters/alpha"][:].astype(numpy.float64)
        else:
            configured = re.search(r"^  alpha: *(.*)$", (run_directory / "config.yaml").read_text(), re.MULTILINE)[1]
            alpha = numpy.broadcast_to(numpy.array(json.loads(configured), numpy.float64), lambdas.shape[1:])
    return {"phi": (lambdas / lambdas.sum(axis=0)).T, "alpha": alpha}


def shared_keys(settings):
    """What all tools share, as keys of svi-train."""
    return {"model.inference": "variational", "model.alpha": settings["alpha"], "model.eta": settings["eta"],
            "model.tolerance": settings["tolerance"], "model.max_iterations": settings["max_iterations"],
            "optimizer.delay": settings["delay"], "optimizer.forgetting_rate": settings["forgetting_rate"]}


def run_svi(arguments, settings, name, corpus, work):
    """As configured for the corpus, but for what OURS says of `name`."""
    is_shared, extra = OURS[name]
    keys = {"data.train": ROOT / f"data/{corpus}.h5", "run.seed": settings["seed"], "model.topics": settings["topics"],
            "train.batch": settings["batch"], "train.epochs": settings["epochs"], "evaluation.every_epochs": 0,
            "device.threads": settings["cores"] if "threads" in name else 1, **extra}
    if is_shared:
        keys |= shared_keys(settings)
    return train_svi(arguments, f"lda-{corpus}.yaml", keys, work / "run", settings["cores"] if "ranks" in name else 1)


def judged(result, data):
    import judge

    return {"seconds": result["seconds"], "megabytes": result["megabytes"],
            "hold_out": judge.hold_out(result["phi"], result["alpha"], data["observed"], data["predicted"]),
            "npmi": judge.npmi(result["phi"], data["train"]), "diversity": judge.diversity(result["phi"]),
            **{key: result[key] for key in ("own_hold_out",) if key in result}}


def tools_of(cores, chosen):
    """On more cores: the two that can use them, and ours both ways."""
    names = [*PEERS, *(name for name in OURS if name not in OURS_ON_CORES)] if cores == 1 else \
        ["gensim, float32", "gensim, float64", *OURS_ON_CORES]
    return [name for name in names if chosen is None or any(name.startswith(prefix) for prefix in chosen)]


def read_split(arguments, corpus, work):
    """The rows to train on, and the two halves of those to judge by, as `svi-data split` writes them to `work`."""
    import peers

    work.mkdir(parents=True, exist_ok=True)
    run([arguments.bin / "svi-data", "split", ROOT / f"data/{corpus}.h5", "--fraction", "0.1", "--split-seed", "1",
         "--output-dir", work])
    return {"train": peers.read_counts(work / "train.h5"),
            "observed": peers.read_counts(work / "validation-observed.h5"),
            "predicted": peers.read_counts(work / "validation-predicted.h5")}


def compare(arguments, corpus, topics, cores):
    import machine

    work = ROOT / f"data/benchmark-topics/{corpus}"
    data = read_split(arguments, corpus, work)
    documents, words = data["train"].shape
    batch = arguments.batch or (SETTINGS["batch"] if cores == 1 else 1024)
    print(f"\n{corpus}: {documents} training documents, V = {words}, {data['train'].nnz / documents:.0f} distinct words "
          f"each, {int(data['predicted'].sum())} words to predict; K = {topics}, batch {batch}, {arguments.epochs} "
          f"epochs, {cores} core{'s' if cores > 1 else ''}", flush=True)
    names = tools_of(cores, arguments.tools)
    results = {name: [] for name in names}
    for seed in range(1, arguments.repeats + 1):
        settings = {**SETTINGS, "batch": batch, "topics": topics, "epochs": arguments.epochs, "cores": cores,
                    "seed": seed, "train": str(work / "train.h5")}
        for name in names:
            if name in PEERS:
                tool, extra = PEERS[name]
                if tool == "tomotopy":
                    extra = {**extra, "epochs": arguments.iterations}
                result = run_peer(tool, {**settings, **extra}, work)[-1]
            else:
                result = run_svi(arguments, settings, name, corpus, work)
            results[name].append(judged(result, data))
            print(f"  {name}, seed {seed}: {json.dumps({k: round(v, 4) for k, v in results[name][-1].items()})}", flush=True)
    rates = {name: [documents * (arguments.iterations if name == "tomotopy" else arguments.epochs) / one["seconds"]
                    for one in runs] for name, runs in results.items()}
    unit = statistics.median(rates[UNIT if UNIT in rates else names[0]])
    print()
    machine.print_table(
        ["tool", "documents a second", f"times {UNIT if UNIT in rates else names[0]}", "hold-out, nats a word", "NPMI",
         "diversity", "peak MB"],
        [[name, machine.spread(rates[name], 0), f"{statistics.median(rates[name]) / unit:.1f}",
          *(machine.spread([one[key] for one in runs], digits)
            for key, digits in (("hold_out", 3), ("npmi", 3), ("diversity", 3), ("megabytes", 0)))]
         for name, runs in results.items()])


def versions():
    import importlib.metadata

    return {name: importlib.metadata.version(name)
            for name in ("gensim", "scikit-learn", "vowpalwabbit", "tomotopy", "numpy")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", nargs="+", default=["debian", "linux-doc"], help="files in data/, see svi-data fetch")
    parser.add_argument("--topics", nargs="+", type=int, default=[100])
    parser.add_argument("--cores", nargs="+", type=int, default=[1])
    parser.add_argument("--batch", type=int, help="256 on one core, 1024 on more")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=100, help="of tomotopy, in place of epochs")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--tools", nargs="+", help="only those whose names begin so")
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/bin", help="where the programs are")
    arguments = parser.parse_args()
    if pathlib.Path(sys.prefix) != VENV:
        enter_environment()
    sys.path[:0] = [str(ROOT / "benchmarks"), str(HERE)]
    import machine

    for corpus in arguments.corpora:
        for topics in arguments.topics:
            for cores in arguments.cores:
                compare(arguments, corpus, topics, cores)
    machine.print_facts(versions())


if __name__ == "__main__":
    main()
