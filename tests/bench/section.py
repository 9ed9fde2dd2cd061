"""What a section of the benchmark is.

A section is a module of tests.bench with a function `run(options: Options) -> Result`; its name is in SECTIONS below.
It measures on real parts, says on standard output what it is doing (`print(..., flush=True)`, one line a step, each
beginning with the section's name), stops all that it started and leaves nothing but what is in its folder
`options.work`, which is its own and is empty when it begins. A measurement whose results are wrong is no measurement:
the section raises `NotExact` then (or any other exception) and has no result.

What it returns is plain data for JSON; the document is rendered from that alone (tests/bench/report.py):

    {"title": "Silence",
     "notes": ["A paragraph of Markdown: what is timed, from when to when.", ...],
     "targets": [{"name": "core alone / plain Python", "target": "≥ 0.6", "measured": 0.71, "met": True}, ...],
     "tables": [{"title": "...", "rows": [{"column": "text or number", ...}, ...], "notes": [...]}, ...],
     "charts": [{"title": "...", "x": "open items", "y": "µs per event", "log": "x",
                 "series": {"heap": [[10_000, 1.2], ...]}}]}

`notes` and `log` may be left out. `met` is None where nothing can be said, for example because a peer is absent. The
rows of a table have the same columns, in order. Numbers are numbers, rounded to what they are worth. Ratios are of
figures of one run: measured alternately (peer, ours, peer, ours, ...), a ratio for each round, then their median.

`smoke` is for the development of a section: everything as in the real run, with small sizes (a minute at most).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NotRequired, TypedDict

SECTIONS = (
    "throughput",
    "growth",
    "latency",
    "silence",
    "catchup",
    "store",
    "screens",
    "browser",
    "startup",
    "alerting",
)
"""In the order of the document, which is that of the run."""


@dataclass(frozen=True)
class Options:
    """`items` is the size of throughput's log (four events each), `rounds` how often what is compared is measured."""

    work: Path
    smoke: bool = False
    items: int = 250_000
    rounds: int = 3


class Target(TypedDict):
    name: str
    target: str | float
    measured: str | float | None
    met: bool | None


class Table(TypedDict):
    title: str
    rows: Sequence[Mapping[str, Any]]
    notes: NotRequired[Sequence[str]]


class Chart(TypedDict):
    """`series` are lists of [x, y]. `log` names the axes that are logarithmic: "", "x", "y" or "xy"."""

    title: str
    x: str
    y: str
    series: Mapping[str, Sequence[Sequence[float]]]
    log: NotRequired[str]


class Result(TypedDict):
    title: str
    targets: Sequence[Target]
    tables: Sequence[Table]
    charts: NotRequired[Sequence[Chart]]
    notes: NotRequired[Sequence[str]]


class NotExact(Exception):
    """What was found is not what is in the log; the text says how they differ. No time of that run counts."""
