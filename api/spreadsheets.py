"""CSV that a spreadsheet shows and doesn't run. Pure."""

from __future__ import annotations

import re

FORMULA = re.compile(rb'(?:(?<=,)|(?<=\n)|\A)"(?=[=+\-@\t\r])')
"""The opening quote of a cell that a spreadsheet would take for a formula. Inside of a cell each quote is doubled, so
that none there is followed by such a character and comes after a comma or a line's end."""


def shown(csv: bytes) -> bytes:
    """Whole lines as ClickHouse writes them, all strings in quotes, with an apostrophe before what would be run."""
    return FORMULA.sub(b"\"'", csv)
