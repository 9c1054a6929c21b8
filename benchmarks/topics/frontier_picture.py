"""The picture of frontier.py: hold-out against seconds, a panel for each corpus.

Peers are named at the right, a thin line from each name to its curve's end; ours where nothing can be, at the upper left."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as pyplot  # noqa: E402
from matplotlib.ticker import FuncFormatter  # noqa: E402

TITLES = {"debian": "Debian's package descriptions", "linux-doc": "The Linux kernel's documentation"}
COLOURS = {"tomotopy": "#0072b2", "gensim": "#009e73", "scikit-learn": "#a6761d", "Vowpal Wabbit": "#777777"}
OURS = ["#c1121f", "#f06595", "#7b2cbf", "#e85d04"]
NATS_SHOWN = 0.75  # below the best; worse points are left out
FRONT = 3  # zorder of ours
GAP = 0.047  # between names, of a panel's height


def style_of(name, place):
    tool = next((tool for tool in COLOURS if name.startswith(tool)), None)
    if tool is None:
        return {"color": OURS[place % len(OURS)], "linewidth": 2.4, "markersize": 5, "marker": "o", "zorder": FRONT}
    dashed = name.endswith("η .01")
    return {"color": COLOURS[tool], "linewidth": 1.3, "markersize": 3.5, "marker": "o", "zorder": FRONT - 1,
            "linestyle": (0, (4, 2)) if dashed else "-"}


def spread(places, gap):
    """The same ascending places moved apart to no less than a gap, and all below 1."""
    apart = []
    for place in places:
        apart.append(max(place, apart[-1] + gap if apart else 0))
    for i in reversed(range(len(apart))):
        apart[i] = min(apart[i], 1 - gap * (len(apart) - 1 - i))
    return apart


def name_peers(axes, ends):
    bottom, top = axes.get_ylim()
    ends = sorted(ends, key=lambda end: end[2])
    heights = spread([(y - bottom) / (top - bottom) for _, _, y, _ in ends], GAP)
    for (name, x, y, colour), height in zip(ends, heights):
        axes.annotate(name, (x, y), xytext=(1.02, height), textcoords="axes fraction", color=colour, fontsize=10,
                      va="center", annotation_clip=False,
                      arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.5, "relpos": (0, 0.5)})


def name_ours(axes, ends):
    for place, (name, _, _, colour) in enumerate(sorted(ends, key=lambda end: -end[2])):
        axes.text(0.02, 0.96 - 0.055 * place, f"●  {name}", transform=axes.transAxes, color=colour, fontsize=10.5,
                  va="center", fontweight="bold", zorder=FRONT + 1,
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5})


def draw_panel(axes, corpus, curves):
    best = max(point["hold_out"] for points in curves.values() for point in points)
    ends = {True: [], False: []}  # of ours and of peers
    for place, (name, points) in enumerate(curves.items()):
        shown = [point for point in points if point["hold_out"] >= best - NATS_SHOWN]
        if not shown:
            continue
        style = style_of(name, place)
        axes.plot([point["seconds"] for point in shown], [point["hold_out"] for point in shown], **style)
        end = (name, shown[-1]["seconds"], shown[-1]["hold_out"], style["color"])
        ends[style["zorder"] == FRONT].append(end)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:g}"))
    axes.grid(True, which="major", color="#dddddd", linewidth=0.7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(TITLES.get(corpus, corpus), loc="left", fontsize=12)
    axes.set_ylabel("hold-out, nats a word")
    name_ours(axes, ends[True])
    name_peers(axes, ends[False])


def draw(curves, topics, path):
    corpora = [corpus for corpus in curves if curves[corpus]]
    figure, panels = pyplot.subplots(len(corpora), 1, figsize=(9, 0.6 + 5.2 * len(corpora)), squeeze=False,
                                     facecolor="white", layout="constrained")
    for axes, corpus in zip(panels[:, 0], corpora):
        draw_panel(axes, corpus, curves[corpus])
    panels[-1, 0].set_xlabel(f"seconds of training, K = {topics}, one core (logarithmic)")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150, facecolor="white")
