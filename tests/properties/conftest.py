"""CI runs the same examples each time, so that a red run means a change; elsewhere each run looks at new ones."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
