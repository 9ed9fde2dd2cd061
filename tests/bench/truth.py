"""Verdicts against the truth, record by record.

A record is (verdict, trade, edge or type, at); `at` is 0 except for MISSING, since only there does the rule fix it: the
deadline. An edge is None for COMPLETED.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.bench.section import NotExact

Record = tuple[str, str, str | None, int]
COMPLETED = "COMPLETED"


def expected(truth: dict[str, Any]) -> Counter[Record]:
    """All records that the truth demands. A trade is completed unless a hop is missing for good."""
    wanted: Counter[Record] = Counter()
    open_for_ever: set[str] = set()
    for key, verdicts in truth["anomalies"].items():
        for verdict, edge, at in verdicts:
            wanted[record(verdict, key, edge, at)] += 1
        if [verdict for verdict, _, _ in verdicts] == ["MISSING"]:
            open_for_ever.add(key)
    for number in range(truth["items"]):
        if (key := f"T{number}") not in open_for_ever:
            wanted[record(COMPLETED, key, None, 0)] += 1
    return wanted


def record(verdict: str, key: str, edge: str | None, at: int) -> Record:
    return verdict, key, edge, at if verdict == "MISSING" else 0


def read(files: Iterable[Path]) -> Iterator[Record]:
    """The records that peers wrote, a JSON object a line."""
    for file in files:
        with file.open("rb") as lines:
            for line in lines:
                row = json.loads(line)
                edge = row["edge"]
                yield record(row["verdict"], row["trade_id"], None if edge == "None" else edge, row["at"])


def check(wanted: Counter[Record], found: Iterable[Record], who: str) -> None:
    """Raises NotExact with what is lost and what is too many, by verdict, and an example of each."""
    got = Counter(found)
    faults = [
        f"{count:+d} {verdict} (such as {example})"
        for sign, difference in ((-1, wanted - got), (1, got - wanted))
        for verdict, count, example in _summed(difference, sign)
    ]
    if faults:
        raise NotExact(f"{who} is not exact: {', '.join(faults)}")


def _summed(difference: Counter[Record], sign: int) -> Iterator[tuple[str, int, Record]]:
    for verdict in sorted({one[0] for one in difference}):
        of_kind = {one: count for one, count in difference.items() if one[0] == verdict}
        yield verdict, sign * sum(of_kind.values()), min(of_kind, key=str)
