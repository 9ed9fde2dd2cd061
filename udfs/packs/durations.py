"""Spans of time as people write them: `300ms`, `2s`, `5m`, `4h`, `3d`, `1w`, `1h30m`."""

from __future__ import annotations

import re

UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
LONGEST = 36_525 * UNITS["d"]
"""A hundred years: more is a slip, and sums of instants and spans must stay well inside 64 bits."""

_PART = re.compile(r"([0-9]{1,15})(ms|[smhdw])")
_PERCENT = re.compile(r"([0-9]{1,3})\s*%")


def parse_duration(value: object) -> int:
    """The span in milliseconds. Raises ValueError with what would be right; only 0 needs no unit."""
    if value == 0 and not isinstance(value, bool):
        return 0
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        raise ValueError(f"`{value}` has no unit; write `{value}s` for seconds or `{value}m` for minutes")
    text = value.replace(" ", "") if isinstance(value, str) else ""
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(
            f"{_shown(value)} is not a duration; write it like `300ms`, `2s`, `5m`, `4h`, `3d`, `1w` or `1h30m`"
        )
    units = [unit for _, unit in parts]
    if sorted(units, key=lambda unit: -UNITS[unit]) != units or len(set(units)) != len(units):
        raise ValueError(f"`{value}` names its units out of order or twice; write the longest first, like `1h30m`")
    span = sum(int(number) * UNITS[unit] for number, unit in parts)
    if span > LONGEST:
        raise ValueError(f"`{value}` is longer than a hundred years; write a shorter span")
    return span


def parse_part(value: object, whole: int) -> int:
    """A share of `whole` (`80%`), or a duration, in milliseconds. Raises ValueError with what would be right."""
    found = _PERCENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        return parse_duration(value)
    return whole * int(found[1]) // 100


def show_duration(span: int) -> str:
    """The span (milliseconds) in the longest units that fit: 5400000 is `1h30m`."""
    text = ""
    for unit in ("d", "h", "m", "s", "ms"):
        count, span = divmod(span, UNITS[unit])
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def _shown(value: object) -> str:
    return f"`{value}`" if isinstance(value, str | int | float) else "this"
