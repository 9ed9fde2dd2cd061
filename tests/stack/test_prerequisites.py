"""A missing or too old prerequisite gives one sentence with the remedy, before anything is done."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from api.stack import prerequisites

SCRIPT = Path(prerequisites.__file__)
PROGRAMS = ("python3.11", "java", "javac", "mvn", "setpriv")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A PATH with what Daymark needs, as links, so that a test can take something away."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in (*PROGRAMS, "sh", "cat"):
        found = sys.executable if name == "python3.11" else shutil.which(name)
        assert found, f"{name} is not on this machine"
        (folder / name).write_text(f'#!/bin/sh\nexec {found} "$@"\n')
        (folder / name).chmod(0o755)
    return folder


def fake(machine: Path, name: str, says: str) -> None:
    (machine / name).write_text(f"#!/bin/sh\ncat >&2 <<'X'\n{says}\nX\n")
    (machine / name).chmod(0o755)


def run(machine: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PATH": str(machine)}
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], env=env, capture_output=True, text=True)


def test_a_machine_with_everything_passes_silently(machine: Path) -> None:
    done = run(machine, "0")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("program", "package"),
    [
        ("python3.11", "python3.11"),
        ("java", "openjdk-17-jdk-headless"),
        ("javac", "openjdk-17-jdk-headless"),
        ("mvn", "maven"),
        ("setpriv", "util-linux"),
    ],
)
def test_a_missing_program_is_named_with_the_package_that_brings_it(machine: Path, program: str, package: str) -> None:
    (machine / program).unlink()
    done = run(machine, "0")
    assert done.returncode == 4
    (sentence,) = done.stderr.splitlines()
    assert program in sentence
    assert sentence.endswith(f"Install it: sudo apt-get install {package}")


def test_a_java_that_is_too_old_is_told_apart_from_one_that_is_missing(machine: Path) -> None:
    fake(machine, "java", 'openjdk version "11.0.21" 2023-10-17')
    done = run(machine, "0")
    assert done.returncode == 4
    assert "java is version 11; Daymark needs Java 17 or newer." in done.stderr


def test_several_faults_are_said_together_with_one_command_for_all(machine: Path) -> None:
    (machine / "mvn").unlink()
    (machine / "java").unlink()
    lines = run(machine, "0").stderr.splitlines()
    assert len(lines) == 3
    assert "openjdk-17-jdk-headless maven" in lines[-1]


def test_too_little_room_on_the_disk_is_said_in_gibibytes(machine: Path) -> None:
    done = run(machine, "1000000")
    assert done.returncode == 4
    assert "the set-up needs 1000000 GiB. Make room on it." in done.stderr


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_392"', 8),
        ("javac 21.0.1", 21),
        ('openjdk version "21" 2023-09-19', 21),
        ("command not found", None),
    ],
)
def test_versions_are_read_as_java_writes_them(text: str, version: int | None) -> None:
    assert prerequisites.java_version(text) == version


def test_the_script_needs_nothing_but_the_standard_library(machine: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPT), "0"], env={"PATH": str(machine)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
