"""The Makefile sees a terminal where there is one, and makes again what is gone or older than its sources."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ["udfs/compiled.py", "udfs/core/machine.py"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The Makefile with all that it depends on, everything made: the jar last, as `make setup` does."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    names = [
        "requirements.lock",
        "pyproject.toml",
        "jobs/java/pom.xml",
        "jobs/java/broker/pom.xml",
        "jobs/java/vendor/pom.xml",
    ]
    made = [f".venv/stamps/{name}" for name in ("venv", "python", "project", "compiled", "broker", "vendor", "java")]
    for name in [*names, *SOURCES, *made, "jobs/java/target/daymark-batcher.jar"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def would_do(checkout: Path) -> str:
    """Without doing it."""
    return subprocess.run(["make", "-n", "setup"], cwd=checkout, capture_output=True, text=True, check=True).stdout


def test_what_is_there_is_not_made_again(checkout: Path) -> None:
    assert "touch" not in would_do(checkout)  # the end of every stage


@pytest.mark.parametrize("changed", SOURCES)
def test_a_changed_source_is_compiled_again_and_nothing_else_is_done(checkout: Path, changed: str) -> None:
    later = time.time() + 10
    os.utime(checkout / changed, (later, later))
    assert would_do(checkout).count("-m udfs.compiled") == would_do(checkout).count("touch") == 1


@pytest.mark.parametrize("gone", ["jobs/java/target", ".venv/stamps/java"])
def test_a_jar_or_a_connector_that_is_gone_is_made_again(checkout: Path, gone: str) -> None:
    file = checkout / gone
    shutil.rmtree(file) if file.is_dir() else file.unlink()
    assert would_do(checkout).count("jobs/java/pom.xml") == 1


def test_progress_is_shown_on_a_terminal_and_nowhere_else(checkout: Path) -> None:
    (checkout / ".venv/stamps/java").unlink()
    (checkout / ".venv/stamps/broker").unlink()
    assert "mvn -B --quiet" in would_do(checkout)
    seen = subprocess.run(
        ["script", "-qec", "make -n setup", "/dev/null"], cwd=checkout, capture_output=True, text=True, check=True
    ).stdout
    assert "mvn -B --no-transfer-progress" in seen
    assert "--quiet -f" not in seen
