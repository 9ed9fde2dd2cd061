"""In CI random tests draw the same examples each time, elsewhere others."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SHOW = """
import tests.conftest
from hypothesis import settings
from tests.effort import examples
print(settings.default.derandomize, examples(600))
"""


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"CI": "1"}, "True 200"),
        ({}, "False 600"),
        ({"CI": "1", "DAYMARK_THOROUGH": "1"}, "False 6000"),
    ],
    ids=["in CI", "elsewhere", "in the night, wherever"],
)
def test_only_ci_draws_the_same_few_examples_each_time(environment: dict[str, str], told: str) -> None:
    without = {name: value for name, value in os.environ.items() if name not in ("CI", "DAYMARK_THOROUGH")}
    done = subprocess.run(
        [sys.executable, "-c", SHOW], env=without | environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == told
