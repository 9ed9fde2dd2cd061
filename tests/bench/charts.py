"""Draws charts: a JSON list of them on standard input, each with the `file` that it goes into. Runs in .venv-bench."""

from __future__ import annotations

import json
import sys
from typing import Any

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "daymark"  # the same data give the same bytes
from matplotlib import pyplot  # noqa: E402
from matplotlib.ticker import EngFormatter  # noqa: E402


def draw(chart: dict[str, Any]) -> None:
    figure, axes = pyplot.subplots(figsize=(7, 3.6), layout="constrained")
    log = chart.get("log", "")
    for name, points in chart["series"].items():
        axes.plot(*zip(*points, strict=True), marker="o" if len(points) < 20 else "", markersize=4, label=name)
    axes.set(title=chart["title"], xlabel=chart["x"], ylabel=chart["y"])
    if "x" in log:
        axes.set_xscale("log")
    if "y" in log:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter(EngFormatter(sep=" "))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(chart["file"], metadata={"Date": None})
    pyplot.close(figure)


if __name__ == "__main__":
    for one in json.load(sys.stdin):
        if any(one["series"].values()):
            draw(one)
