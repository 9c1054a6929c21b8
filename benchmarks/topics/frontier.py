#!/usr/bin/env python3
"""Hold-out against seconds of training, for LDA by svi-train and its peers on one core: a picture and two tables.

    benchmarks/topics/frontier.py --picture docs/images/topics-frontier.png
    benchmarks/topics/frontier.py --tools svi-train --again          # only ours, measured anew; the rest as it was

Every point is φ and α at some time of training, judged alike (judge.py); seconds are those of training alone. tomotopy,
gensim and scikit-learn are one run each, with snapshots; Vowpal Wabbit and svi-train one run for each point. svi-train
trains as the corpus' file in configs/ says, but for what OURS names. Peers have the settings of compare.py, but for η.

Results stay in data/frontier/CORPUS-K.json: what was measured with the same settings isn't measured again unless --again.
"""

import argparse
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
import compare  # noqa: E402
import machine  # noqa: E402

ETAS = (0.01, 0.1)
PASSES = [1, 2, 5, 10, 20]
SNAPSHOTS = {"tomotopy": [25, 50, 100, 200, 400], "gensim": PASSES, "scikit-learn": PASSES, "Vowpal Wabbit": PASSES}
EPOCHS = [0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 20, 50]  # of svi-train: parts of an epoch by train.steps
OURS = {  # name: what differs from the configuration of the corpus
    "svi-train": [],
    "svi-train, fast": [*(f"{key}={value}" for key, value in compare.FAST.items()), "train.batch=32", "optimizer.delay=2"],
    "svi-train, variational": ["model.inference=variational", "model.alpha=0.1", "model.max_iterations=100",
                               "optimizer.forgetting_rate=0.7", "train.batch=256"],
}
UNIT = "gensim, η .01"  # after one pass


def peers_wanted():
    """By name: the tool and what differs from compare.SETTINGS, a run for each."""
    wanted = {}
    for tool, snapshots in SNAPSHOTS.items():
        for eta in ETAS:
            common = {"eta": eta, "precision": "float64", "cores": 1, "seed": 1}
            if tool == "Vowpal Wabbit":
                runs = [{**common, "epochs": passes, "snapshots": [passes]} for passes in snapshots]
            else:
                runs = [{**common, "epochs": snapshots[-1], "snapshots": snapshots}]
            wanted[f"{tool}, η {f'{eta:g}'.lstrip('0')}"] = (tool, runs)
    return wanted


def run_ours(arguments, corpus, pairs, work, documents):
    configured = re.search(r"^  batch: (\d+)$", (compare.ROOT / f"configs/lda-{corpus}.yaml").read_text(), re.MULTILINE)
    batch = next((int(pair.split("=")[1]) for pair in pairs if pair.startswith("train.batch=")), int(configured[1]))
    steps = -(-documents // batch)
    for epochs in EPOCHS:
        keys = {"data.train": compare.ROOT / f"data/{corpus}.h5", "run.seed": 1, "model.topics": arguments.topics,
                "train.steps": max(1, round(epochs * steps)), "evaluation.every_epochs": 0,
                "checkpoint.every_seconds": 0, "device.threads": 1, **dict(pair.split("=", 1) for pair in pairs)}
        yield {"epochs": epochs, **compare.train_svi(arguments, f"lda-{corpus}.yaml", keys, work / "run")}


def points_of(results, data):
    return [{"epochs": result["epochs"], **{key: round(value, 5) for key, value in compare.judged(result, data).items()}}
            for result in results]


def measure(arguments, corpus, wanted):
    """Everything measured of a corpus, by name: the settings and the points. What is missing is measured first."""
    path = compare.ROOT / f"data/frontier/{corpus}-{arguments.topics}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    measured = json.loads(path.read_text()) if path.exists() else {}
    work = compare.ROOT / f"data/benchmark-topics/{corpus}"
    data = None
    for name, (tool, settings) in wanted.items():
        chosen = arguments.tools is None or any(name.startswith(prefix) for prefix in arguments.tools)
        if not chosen or (measured.get(name, {}).get("settings") == settings and not arguments.again):
            continue
        data = data or compare.read_split(arguments, corpus, work)
        if tool == "svi-train":
            results = run_ours(arguments, corpus, settings["set"], work, data["train"].shape[0])
        else:
            common = {**compare.SETTINGS, "topics": arguments.topics, "train": str(work / "train.h5")}
            results = (result for run in settings for result in compare.run_peer(tool, {**common, **run}, work))
        measured[name] = {"settings": settings, "points": points_of(results, data)}
        path.write_text(json.dumps(measured, indent=1, ensure_ascii=False) + "\n")
        print(f"{corpus}: {name} measured", flush=True)
    return {name: measured[name]["points"] for name in wanted if name in measured}


def first_as_good(curves, hold_out):
    """The point with the fewest seconds among those at least as good, and its curve's name; None where there is none."""
    reached = [(point["seconds"], name, point) for name, points in curves.items() for point in points
               if point["hold_out"] >= hold_out]
    return min(reached, key=lambda one: one[0])[1:] if reached else None


def is_ours(name):
    return name.startswith("svi-train")


def print_points(curves):
    machine.print_table(["tool", "epochs or iterations", "seconds", "hold-out", "NPMI", "diversity"],
                        [[name, f"{point['epochs']:g}", f"{point['seconds']:.2f}", f"{point['hold_out']:.4f}",
                          f"{point['npmi']:.3f}", f"{point['diversity']:.3f}"]
                         for name, points in curves.items() for point in points])


def print_beside_tomotopy(curves):
    ours = {name: points for name, points in curves.items() if is_ours(name)}
    rows = []
    for name, points in curves.items():
        for point in points if name.startswith("tomotopy") else []:
            row = [f"{name}: {point['epochs']} iterations", f"{point['hold_out']:.4f}", f"{point['seconds']:.2f}"]
            found = first_as_good(ours, point["hold_out"])
            if found:
                which, its = found
                row += [f"{which}: {its['epochs']:g} epochs", f"{its['hold_out']:.4f}", f"{its['seconds']:.2f}",
                        f"{point['seconds'] / its['seconds']:.1f}"]
            rows.append(row + ["not reached", "", "", ""] if not found else row)
    machine.print_table(["tomotopy", "hold-out", "seconds", "first of ours as good", "hold-out", "seconds", "times sooner"],
                        rows)


def print_to_one_pass(curves):
    if UNIT not in curves:
        return
    unit = curves[UNIT][0]
    rows = []
    for name, points in curves.items():
        found = first_as_good({name: points}, unit["hold_out"])
        rows.append([name, f"{found[1]['epochs']:g}", f"{found[1]['seconds']:.3f}",
                     f"{unit['seconds'] / found[1]['seconds']:.1f}"] if found else [name, "not reached", "", ""])
    print(f"To {unit['hold_out']:.4f}, where {UNIT} is after one pass and {unit['seconds']:.2f} s:")
    machine.print_table(["tool", "epochs or iterations", "seconds", "times sooner"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", nargs="+", default=["debian", "linux-doc"], help="files in data/ and configs/")
    parser.add_argument("--topics", type=int, default=100)
    parser.add_argument("--tools", nargs="+", help="measure only those whose names begin so")
    parser.add_argument("--again", action="store_true", help="measure what was measured already, too")
    parser.add_argument("--picture", type=pathlib.Path, help="the PNG to write")
    parser.add_argument("--bin", type=pathlib.Path, default=compare.ROOT / "build/bin", help="where the programs are")
    arguments = parser.parse_args()
    if pathlib.Path(sys.prefix) != compare.VENV:
        compare.enter_environment()
    wanted = {**{name: ("svi-train", {"set": pairs, "epochs": EPOCHS}) for name, pairs in OURS.items()}, **peers_wanted()}
    curves = {corpus: measure(arguments, corpus, wanted) for corpus in arguments.corpora}
    for corpus in arguments.corpora:
        print(f"\n{corpus}, K = {arguments.topics}, one core")
        for table in (print_points, print_beside_tomotopy, print_to_one_pass):
            table(curves[corpus])
            print()
    if arguments.picture:
        import frontier_picture

        frontier_picture.draw(curves, arguments.topics, arguments.picture)
        print(f"picture      {arguments.picture}")
    machine.print_facts(compare.versions())


if __name__ == "__main__":
    main()
