"""The jars that Flink runs with: the wheel's own, the Kafka connector and the batcher, in one folder."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from api.stack.errors import Exit, StackError

JARS = Path(sys.prefix) / "jars" / "flink"
BATCHER = Path(__file__).resolve().parents[2] / "jobs" / "java" / "target" / "daymark-batcher.jar"


def prepare_lib(target: Path) -> None:
    """Fill `target` with all jars that Flink needs. Raises StackError if one is not there.

    flink-python goes there too: loaded for each job anew, a TaskManager's second job would fail, as
    flink-conf/config.yaml tells.
    """
    installed = wheel()
    own = [*JARS.glob("flink-sql-connector-kafka-*.jar"), *BATCHER.parent.glob(BATCHER.name)]
    if len(own) < 2:
        raise StackError(
            f"The Kafka connector is not in {JARS}, or {BATCHER} is not built. Run `make setup`.", Exit.PREREQUISITE
        )
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for jar in (*installed.glob("lib/*.jar"), *installed.glob("opt/flink-python-*.jar"), *own):
        (target / jar.name).symlink_to(jar.resolve())
    (target / BATCHER.name).unlink()
    shutil.copy(BATCHER, target)  # a build meanwhile must not change a jar that a JVM has open


def wheel() -> Path:
    """The folder of the installed apache-flink, found without importing it (which takes a second)."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return Path(sys.prefix) / "lib" / version / "site-packages" / "pyflink"
