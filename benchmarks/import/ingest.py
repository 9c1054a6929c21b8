#!/usr/bin/env python3
"""How fast `svi-data import uci` turns a docword file that lies in the page cache into HDF5.

Makes a corpus whose words follow Zipf's law in a temporary folder, imports it several times, and prints
nonzeros a second of wall clock and of processor time, and the import's peak memory.
"""

import argparse
import gzip
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
import machine  # noqa: E402

TEMPLATES = 1000  # distinct documents, repeated


def templates(words, vocabulary, generator):
    """Documents as lines "# word count", each with so many distinct words; # stands for the number."""
    made = []
    for _ in range(TEMPLATES):
        drawn = set()
        while len(drawn) < words:  # log-uniform ranks: Zipf's law with exponent 1
            drawn.add(int(vocabulary ** generator.random()))
        lines = [f"# {word} {min(99, int(1 / (1 - generator.random())))}\n" for word in sorted(drawn)]
        made.append("".join(lines))
    return made


def write_docword(path, documents, words, vocabulary):
    made = templates(words, vocabulary, random.Random(1))
    with open(path, "w") as file:
        file.write(f"{documents}\n{vocabulary}\n{documents * words}\n")
        for number in range(1, documents + 1):
            file.write(made[number % TEMPLATES].replace("#", str(number)))


def measure(command):
    """Wall seconds, processor seconds and peak bytes of one process."""
    before = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - before
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with code {process.returncode}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=2_000_000)
    parser.add_argument("--words", type=int, default=25, help="distinct words a document")
    parser.add_argument("--vocabulary", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--gzip", action="store_true", help="import the file compressed")
    parser.add_argument("--program", default=ROOT / "build/bin/svi-data")
    arguments = parser.parse_args()
    entries = arguments.documents * arguments.words
    with tempfile.TemporaryDirectory() as folder:
        docword = pathlib.Path(folder) / "docword.txt"
        write_docword(docword, arguments.documents, arguments.words, arguments.vocabulary)
        size = docword.stat().st_size
        if arguments.gzip:
            with open(docword, "rb") as plain, gzip.open(f"{docword}.gz", "wb", compresslevel=6) as packed:
                shutil.copyfileobj(plain, packed)
            docword = pathlib.Path(f"{docword}.gz")
        command = [arguments.program, "import", "uci", docword, "--output", f"{folder}/counts.h5"]
        measure(command)  # warms the file
        runs = [measure(command) for _ in range(arguments.repeats)]
        output = (pathlib.Path(folder) / "counts.h5").stat().st_size
    rates = [entries / wall / 1e6 for wall, _, _ in runs]
    processor = [entries / used / 1e6 for _, used, _ in runs]
    print(f"{arguments.documents:,} documents, {entries:,} nonzeros, {size / 1e6:,.0f} MB of text"
          f"{' in gzip' if arguments.gzip else ''}, {output / 1e6:,.0f} MB of HDF5; {arguments.repeats} runs")
    machine.print_table(
        ["", "median (smallest to largest)"],
        [["M nonzeros a second, wall clock", machine.spread(rates, 1)],
         ["M nonzeros a second of processor time", machine.spread(processor, 1)],
         ["peak memory, MB", f"{statistics.median(peak for _, _, peak in runs) / 1e6:.0f}"]])
    machine.print_facts({"python": sys.version.split()[0]})


if __name__ == "__main__":
    main()
