"""What a measurement must say of the machine it was made on, and how its table is printed."""

import os
import platform
import statistics


def processor():
    with open("/proc/cpuinfo") as lines:
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    flags = open("/proc/cpuinfo").read()
    vectors = next((name for name in ("avx512f", "avx2") if name in flags), "no AVX2")
    return f"{names[0] if names else platform.machine()}, {vectors}, {os.cpu_count()} cores"


def print_facts(versions):
    load = os.getloadavg()[0]
    print(f"machine      {processor()}; load {load:.1f} at the end")
    print(f"versions     {', '.join(f'{name} {version}' for name, version in versions.items())}")


def print_table(header, rows):
    cells = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    for row in cells:
        first, rest = row[0].ljust(widths[0]), (cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))
        print("  ".join([first, *rest]))


def spread(values, digits=3):
    """Median, and the smallest and largest in brackets."""
    middle = statistics.median(values)
    if len(values) == 1:
        return f"{middle:.{digits}f}"
    return f"{middle:.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"
