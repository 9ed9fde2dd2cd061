"""How hard the tests try.

In CI (`CI` is set, as .ci/run does) random tests draw the same examples each time, fewer of them: a red run means a
change. Elsewhere each run draws others, and what failed once is tried again first. `make test-all` sets
`DAYMARK_THOROUGH=1`: ten times as many, and the few real tests that are marked `thorough`.
"""

from __future__ import annotations

import os

THOROUGH = os.environ.get("DAYMARK_THOROUGH") == "1"
CI = bool(os.environ.get("CI")) and not THOROUGH


def examples(usual: int) -> int:
    """How many examples a test draws that usually draws so many."""
    return usual * 10 if THOROUGH else max(30, usual // 3) if CI else usual
