"""How measured times spread, in figures and as a curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """Milliseconds, rounded to tenths."""

    count: int
    p50: float
    p95: float
    p99: float
    max: float


def spread(times: Sequence[float]) -> Spread:
    """The spread of measured times; of none at all, zeros."""
    ordered = sorted(times)
    return Spread(len(ordered), *(round(quantile(ordered, share), 1) for share in (0.5, 0.95, 0.99, 1.0)))


def quantile(ordered: Sequence[float], share: float) -> float:
    """The least value that at least `share` of the values don't exceed."""
    if not ordered:
        return 0.0
    rank = -int(-share * len(ordered) // 1)  # rounded up
    return ordered[max(rank, 1) - 1]


def curve(times: Sequence[float], points: int = 100) -> list[tuple[float, float]]:
    """(time, share of the times that don't exceed it), for a chart."""
    ordered = sorted(times)
    shares = [number / points for number in range(1, points + 1)]
    return [(round(quantile(ordered, share), 1), share) for share in shares] if ordered else []
