"""The peers in Java. They live beside the checkout, in ../shared/bench; where that isn't they are absent."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from api.stack.flink import REPOSITORY

SOURCE = REPOSITORY.parent / "shared" / "bench" / "java"
BUILD = REPOSITORY / ".bench" / "java"
PEERS = {"Esper": ("esper", "peer.EsperPeer"), "Flink, hand-written Java": ("flink", "peer.FlinkJava")}
OPENED = ("java.base/java.util", "java.base/java.lang")


def commands() -> dict[str, list[str]]:
    """How to start each peer that is there; built on the first call, in a copy."""
    if not SOURCE.is_dir():
        return {}
    _build()
    opens = [f"--add-opens={package}=ALL-UNNAMED" for package in OPENED]
    return {
        name: [
            "java",
            "-Xmx4g",
            *opens,
            "-cp",
            f"{BUILD}/{module}/target/{module}-1.jar:{BUILD}/{module}/target/lib/*",
            main,
        ]
        for name, (module, main) in PEERS.items()
    }


def _build() -> None:
    if all(any((BUILD / module / "target" / "lib").glob("*.jar")) for module, _ in PEERS.values()):
        return
    print(f"throughput: building the JVM peers of {SOURCE}", flush=True)
    shutil.copytree(SOURCE, BUILD, dirs_exist_ok=True, ignore=shutil.ignore_patterns("target"))
    modules = ",".join(module for module, _ in PEERS.values())
    subprocess.run(["mvn", "-B", "-q", "-pl", modules, "-am", "package"], cwd=BUILD, check=True)


def outputs(results: Path) -> list[Path]:
    """What a peer wrote: one file, or one for each task."""
    return sorted(results.parent.glob(f"{results.name}*"))
