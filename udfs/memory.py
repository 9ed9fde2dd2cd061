"""How Python's garbage collector is set in processes that follow items."""

from __future__ import annotations

import gc

YOUNG = (50_000, 20, 1_000_000)


def collect_young_only() -> None:
    """Items live long and never hold each other, so a full collection would walk through all of them time and again, a
    third of the process's time, to find nothing."""
    gc.set_threshold(*YOUNG)
