"""The picture of frontier.py: hold-out against seconds, a panel for each corpus, curves labelled where they end."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as pyplot  # noqa: E402
from matplotlib.ticker import FuncFormatter  # noqa: E402

TITLES = {"debian": "Debian's package descriptions", "linux-doc": "The Linux kernel's documentation"}
COLOURS = {"tomotopy": "#0072b2", "gensim": "#009e73", "scikit-learn": "#a6761d", "Vowpal Wabbit": "#777777"}
OURS = ["#c1121f", "#f06595", "#7b2cbf", "#e85d04"]
NATS_SHOWN = 0.75  # below the best; worse points are left out
GAP = 2  # points between labels


def style_of(name, place):
    tool = next((tool for tool in COLOURS if name.startswith(tool)), None)
    if tool is None:
        return {"color": OURS[place % len(OURS)], "linewidth": 2.4, "markersize": 5, "marker": "o", "zorder": 3}
    dashed = name.endswith("η .01")
    return {"color": COLOURS[tool], "linewidth": 1.3, "markersize": 3.5, "marker": "o", "zorder": 2,
            "linestyle": (0, (4, 2)) if dashed else "-"}


def label_ends(axes, ends):
    """Names beside the last points, moved up until none covers another."""
    figure = axes.figure
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    placed = []
    for name, x, y, colour, weight in sorted(ends, key=lambda end: end[2]):
        text = axes.annotate(name, (x, y), xytext=(6, 0), textcoords="offset points", color=colour, fontsize=9.5,
                             va="center", fontweight=weight)
        for _ in range(200):
            box = text.get_window_extent(renderer)
            if not any(box.overlaps(other) for other in placed):
                break
            text.set_position((6, text.get_position()[1] + GAP))
        placed.append(text.get_window_extent(renderer))


def draw_panel(axes, corpus, curves):
    best = max(point["hold_out"] for points in curves.values() for point in points)
    ends = []
    for place, (name, points) in enumerate(curves.items()):
        shown = [point for point in points if point["hold_out"] >= best - NATS_SHOWN]
        if not shown:
            continue
        style = style_of(name, place)
        axes.plot([point["seconds"] for point in shown], [point["hold_out"] for point in shown], **style)
        ends.append((name, shown[-1]["seconds"], shown[-1]["hold_out"], style["color"],
                     "bold" if style["zorder"] == 3 else "normal"))
    axes.set_xscale("log")
    left, right = axes.get_xlim()
    axes.set_xlim(left, right * 5)  # for the names
    axes.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:g}"))
    axes.grid(True, which="major", color="#dddddd", linewidth=0.7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(TITLES.get(corpus, corpus), loc="left", fontsize=12)
    axes.set_ylabel("hold-out, nats a word")
    label_ends(axes, ends)


def draw(curves, topics, path):
    corpora = [corpus for corpus in curves if curves[corpus]]
    figure, panels = pyplot.subplots(len(corpora), 1, figsize=(9, 0.6 + 5.2 * len(corpora)), squeeze=False,
                                     facecolor="white", layout="constrained")
    for axes, corpus in zip(panels[:, 0], corpora):
        draw_panel(axes, corpus, curves[corpus])
    panels[-1, 0].set_xlabel(f"seconds of training, K = {topics}, one core (logarithmic)")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150, facecolor="white")
