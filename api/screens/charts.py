"""Charts as coordinates, for templates to draw: columns or a line over time, beside what is usual. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log10, sqrt
from typing import Any

WIDTH, HEIGHT = 720, 168
LEFT, RIGHT, TOP, BOTTOM = 48, 8, 8, 20
LEAST_USUAL = 4.0
"""Below so many in a span, a drop or a spike is chance."""


def unusual(count: float, usual: float | None) -> str:
    """`low` where a rate has dropped, `high` where it is a spike, "" where it is as usual or nothing is known: half or
    twice as many, and further off than three times what chance does (the root of a count)."""
    if usual is None or usual < LEAST_USUAL:
        return ""
    if abs(count - usual) < 3 * sqrt(usual):
        return ""
    return "low" if count < usual / 2 else "high" if count > usual * 2 else ""


def ceiling(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten: where an axis ends."""
    if value < 1e-9:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


def columns(
    values: Sequence[float | None],
    usual: Sequence[float | None],
    marks: Sequence[str] = (),
    *,
    width: int = WIDTH,
) -> dict[str, Any]:
    """A column for each value, a dashed line through what is usual, three grid lines; None is a gap. `width`: in px."""
    top = ceiling(max([one for one in [*values, *usual] if one is not None], default=0))
    step = (width - LEFT - RIGHT) / max(len(values), 1)

    def high(value: float) -> float:
        return round((HEIGHT - TOP - BOTTOM) * value / top, 1)

    bars = []
    for place, value in enumerate(values):
        tall = high(value or 0)
        bars.append(
            {
                "x": round(LEFT + place * step + 1, 1),
                "y": round(HEIGHT - BOTTOM - tall, 1),
                "width": round(max(step - 2, 1), 1),
                "height": tall,
                "value": value,
                "usual": usual[place] if place < len(usual) else None,
                "mark": marks[place] if place < len(marks) else "",
            }
        )
    points = [(LEFT + (place + 0.5) * step, value) for place, value in enumerate(usual) if value is not None]
    line = " ".join(f"{x:.1f},{HEIGHT - BOTTOM - high(value):.1f}" for x, value in points)
    grid = [{"y": round(HEIGHT - BOTTOM - high(top * part), 1), "value": top * part} for part in (0, 0.5, 1)]
    frame = {"width": width, "height": HEIGHT, "left": LEFT, "right": width - RIGHT, "bottom": HEIGHT - BOTTOM}
    return {**frame, "bars": bars, "line": line, "grid": grid, "top": top}
