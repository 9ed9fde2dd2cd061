"""What has to be on the machine before Daymark can be set up. Runs with any Python 3 and its standard library alone:

python3 api/stack/prerequisites.py [GIB]    says in one sentence what is missing, and exits with 4

GIB is how much room on the disk is needed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

PYTHON = (3, 11)
JAVA = 17
DISK_GIB = 4.0
PACKAGES = "sudo apt-get install python3.11 python3.11-venv openjdk-17-jdk-headless maven make util-linux"
PREREQUISITE = 4


def check(directory: Path, gib: float = DISK_GIB) -> list[str]:
    """What is missing for the set-up, as sentences; an empty list if nothing is."""
    faults = [
        check_python(),
        check_java(compiler=True),
        check_program("mvn", "maven"),
        check_program("setpriv", "util-linux"),
        check_disk(directory, gib),
    ]
    return [fault for fault in faults if fault]


def check_python() -> str | None:
    """A Python 3.11 with venv, as `python3.11`."""
    found = shutil.which("python3.11")
    if not found:
        return "Python 3.11 is not there (no python3.11 on the PATH). Install it: sudo apt-get install python3.11"
    if _run([found, "-c", "import venv, ensurepip"])[0]:
        return "Python 3.11 lacks the venv module. Install it: sudo apt-get install python3.11-venv"
    return None


def check_java(compiler: bool = False) -> str | None:
    """A Java 17 or newer; with its compiler, if asked."""
    remedy = f"Install it: sudo apt-get install openjdk-{JAVA}-jdk-headless"
    for program in ("java", "javac") if compiler else ("java",):
        if not shutil.which(program):
            return f"A Java {JAVA} development kit is not there (no {program} on the PATH). {remedy}"
        failed, text = _run([program, "-version"])
        version = java_version(text)
        if failed or version is None:
            return f"`{program} -version` does not work: {text.strip()[:200]}. {remedy}"
        if version < JAVA:
            return f"{program} is version {version}; Daymark needs Java {JAVA} or newer. {remedy}"
    return None


def java_version(text: str) -> int | None:
    """The major version in the words of `java -version` or `javac -version`: 8 for 1.8.0_392, 17 for 17.0.15."""
    match = re.search(r'(?:version "|javac )(\d+)(?:\.(\d+))?', text)
    if match is None:
        return None
    return int(match[2]) if match[1] == "1" and match[2] else int(match[1])


def check_program(name: str, package: str) -> str | None:
    """A program on the PATH."""
    return None if shutil.which(name) else f"{name} is not on the PATH. Install it: sudo apt-get install {package}"


def check_disk(directory: Path, needed: float = DISK_GIB) -> str | None:
    """Room for what the set-up downloads and builds."""
    free = shutil.disk_usage(directory).free / 2**30
    if free < needed:
        where = f"The disk that holds {directory}"
        return f"{where} has {free:.1f} GiB left; the set-up needs {needed:.0f} GiB. Make room on it."
    return None


def require_java() -> None:
    """Raise StackError unless there is a Java that can run Daymark's parts."""
    fault = check_java()
    if fault:
        from api.stack.errors import Exit, StackError

        raise StackError(fault, Exit.PREREQUISITE)


def _run(command: list[str]) -> tuple[int, str]:
    """(exit code, output) of a program."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)  # noqa: S603
    except OSError as error:
        return 1, str(error)
    return done.returncode, done.stdout.decode(errors="replace")


def main() -> int:
    """Say what is missing; 4 if anything is."""
    faults = check(Path(__file__).resolve().parents[2], float(sys.argv[1]) if sys.argv[1:] else DISK_GIB)
    for fault in faults:
        print(f"daymark: {fault}", file=sys.stderr)
    if len(faults) > 1:
        print(f"daymark: all of it at once: {PACKAGES}", file=sys.stderr)
    return PREREQUISITE if faults else 0


if __name__ == "__main__":
    sys.exit(main())
