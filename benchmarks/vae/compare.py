#!/usr/bin/env python3
"""Training steps of a VAE by svi-train, PyTorch, Pyro, NumPyro and JAX, beside the matrix products alone: milliseconds.

    launch/setup.sh --tests && benchmarks/vae/compare.py           installs the peers into benchmarks/.venv-vae, then measures
    benchmarks/vae/compare.py --cases small --cores 1 2 --repeats 5 --tools svi-train NumPyro "products alone"

Tools take turns, each run in a process of its own (peers.py), bound to as many cores as it may use; the ratio of each turn
counts, and the median of the ratios, since machines change their speed. What is timed is a step with the gathering of its
minibatch, after a warm-up. svi-train reads what it times from its own metrics.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
VENV = ROOT / "benchmarks/.venv-vae"
HERE = pathlib.Path(__file__).parent
WARM_UP = 100

# D is 784. svi-train logs every WARM_UP steps, so steps are a multiple of that.
CASES = {"large": {"hidden": 400, "latent": 20, "batch": 128, "samples": 1, "steps": 1000},
         "small": {"hidden": 200, "latent": 50, "batch": 20, "samples": 1, "steps": 4000},
         "wide-batch": {"hidden": 400, "latent": 20, "batch": 512, "samples": 1, "steps": 400},
         "iwae": {"hidden": 200, "latent": 50, "batch": 20, "samples": 50, "steps": 400}}
OURS = {"svi-train": {}, "svi-train, bfloat16": {"device.precision": "bfloat16"}}
OURS_ON_CORES = {"svi-train, ranks": {}, "svi-train, threads": {"device.threads": 2}}
PEERS = ["products alone", "products alone, bfloat16", "PyTorch, as its example", "PyTorch, fused Adam",
         "PyTorch, compiled", "Pyro", "NumPyro", "JAX by hand"]


def enter_environment():
    """Starts this script anew under the Python that has the peers; PyTorch is the one that svi-train is built with."""
    python = VENV / "bin/python"
    if not python.exists():
        subprocess.run([ROOT / ".venv/bin/python", "-m", "venv", VENV], check=True)
        ours = next((ROOT / ".venv/lib").glob("python*/site-packages"))
        theirs = next((VENV / "lib").glob("python*/site-packages"))
        (theirs / "svi-train.pth").write_text(f"{ours}\n")
    subprocess.run([python, "-m", "pip", "install", "-q", "-r", HERE / "requirements.txt"], check=True)
    os.execv(python, [str(python), *sys.argv])


def on_cores(cores, command):
    return ["taskset", "-c", f"0-{cores - 1}", *[str(word) for word in command]]


def environment(cores):
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return {**os.environ, **{name: str(cores) for name in names}}


def peer_ms(tool, case, cores, folder):
    described = folder / "case.json"
    described.write_text(json.dumps({**case, "threads": cores, "warm_up": WARM_UP}))
    command = on_cores(cores, [sys.executable, HERE / "peers.py", tool, described])
    return float(subprocess.run(command, check=True, capture_output=True, text=True, env=environment(cores)).stdout)


def svi_ms(name, case, cores, arguments, folder):
    run = folder / "run"
    shutil.rmtree(run, ignore_errors=True)
    keys = {"data.train": arguments.data, "model.encoder": f"[{case['hidden']}]", "model.decoder": f"[{case['hidden']}]",
            "model.latent": case["latent"], "train.batch": case["batch"], "train.steps": WARM_UP + case["steps"],
            "run.log_every_steps": WARM_UP, "evaluation.every_epochs": 0, **{**OURS, **OURS_ON_CORES}[name]}
    if case["samples"] > 1:
        keys |= {"objective.samples": case["samples"], "objective.bound": "iwae"}
    command = [arguments.bin / "svi-train", ROOT / "configs/vae-fashion-mnist.yaml", "--run-dir", run]
    for key, value in keys.items():
        command += ["--set", f"{key}={value}"]
    if name == "svi-train, ranks":
        command = ["bash", "-c", f"source {ROOT}/launch/environment.sh; exec mpirun -np {cores} \"$@\"", "-", *command]
    subprocess.run(on_cores(cores, command), check=True, stdout=subprocess.DEVNULL, env=environment(1))
    lines = [json.loads(line) for line in open(run / "metrics.jsonl")]
    seconds = {line["step"]: line["seconds"] for line in lines if line["kind"] == "train"}
    return (seconds[WARM_UP + case["steps"]] - seconds[WARM_UP]) / case["steps"] * 1000


def tools_of(cores, chosen):
    names = [*OURS, *PEERS] if cores == 1 else [*OURS_ON_CORES, *PEERS]
    return [name for name in names if not chosen or name in chosen]


def measure(case_name, cores, arguments):
    case = {**CASES[case_name], "data": str(arguments.data)}
    tools = tools_of(cores, arguments.tools)
    times = {tool: [] for tool in tools}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(arguments.repeats):
            for tool in tools:
                if tool in PEERS:
                    times[tool].append(peer_ms(tool, case, cores, pathlib.Path(folder)))
                else:
                    times[tool].append(svi_ms(tool, case, cores, arguments, pathlib.Path(folder)))
    print_case(case_name, case, cores, times)


def print_case(case_name, case, cores, times):
    import machine

    print(f"\n{case_name}: 784-{case['hidden']}-{case['latent']}, batch {case['batch']}, {case['samples']} samples, "
          f"{cores} cores, {case['steps']} steps")
    ours = times[next(iter(times))]
    rows = [[tool, machine.spread(values, 3), machine.spread([value / unit for value, unit in zip(values, ours)], 2)]
            for tool, values in times.items()]
    machine.print_table(["tool", "ms a step, median (range)", f"times the time of {next(iter(times))}"], rows)
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "data/fashion-mnist-train.h5")
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES))
    parser.add_argument("--cores", nargs="+", type=int, default=[1], choices=[1, 2])
    parser.add_argument("--tools", nargs="+", help="names as in the table; the first is what others are compared to")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/bin", help="where svi-train is")
    arguments = parser.parse_args()
    if pathlib.Path(sys.prefix) != VENV:
        enter_environment()
    sys.path.insert(0, str(ROOT / "benchmarks"))
    import jax
    import machine
    import numpyro
    import pyro
    import torch

    for case in arguments.cases:
        for cores in arguments.cores:
            measure(case, cores, arguments)
    machine.print_facts({"PyTorch": torch.__version__, "Pyro": pyro.__version__, "NumPyro": numpyro.__version__,
                         "JAX": jax.__version__, "Python": sys.version.split()[0]})


if __name__ == "__main__":
    main()
