"""How likely it is that something which has not happened yet takes longer than it may, from how long it took so far.

A distribution is known by five quantiles, ms. Between them, and from 0 to the first, it is taken as uniform;
behind the last it decays as it did from the last but one to it.
"""

from __future__ import annotations

from math import exp, log
from typing import Final

LEFT: Final = (0.5, 0.25, 0.1, 0.05, 0.01)
"""How much takes longer than each of the quantiles of 50, 75, 90, 95 and 99 percent."""


def outlasts(quantiles: tuple[int, ...], span: int) -> float:
    """The chance that it takes longer than `span` ms."""
    before, above = 0, 1.0
    for quantile, left in zip(quantiles, LEFT, strict=True):
        if span < quantile:
            return above - (above - left) * (span - before) / (quantile - before)
        before, above = quantile, left
    width = max(1, quantiles[-1] - quantiles[-2])
    return above * exp(-log(LEFT[-2] / above) * (span - before) / width)


def chance(quantiles: tuple[int, ...], elapsed: int, within: int) -> float:
    """The chance that what has not happened after `elapsed` ms doesn't happen within `within` ms either: from 0 to 1,
    never less when more time has passed."""
    if elapsed >= within:
        return 1.0
    still = outlasts(quantiles, max(0, elapsed))
    return min(1.0, outlasts(quantiles, within) / still) if still > 0.0 else 1.0


def earliest(quantiles: tuple[int, ...], within: int, threshold: float) -> int:
    """After how many ms the chance first is `threshold`; `within` at the latest."""
    low, high = 0, within
    while low < high:
        middle = (low + high) // 2
        if chance(quantiles, middle, within) >= threshold:
            high = middle
        else:
            low = middle + 1
    return low
