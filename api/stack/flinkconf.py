"""How Flink's processes are started: their configuration, command, environment and memory."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import yaml

from api.stack import ports, process
from api.stack.flinklib import wheel

CONFIG = Path(__file__).resolve().parents[2] / "flink-conf"


def folder(home: Path, name: str) -> Path:
    """A folder of the cluster's own."""
    return home.absolute() / "flink" / name


def write(home: Path, rest_port: int, checkpoints: str, metrics_ports: str | None) -> None:
    """Write the configuration of a cluster's processes, and give them an empty folder for what they need meanwhile."""
    place, scratch = folder(home, "conf"), folder(home, "tmp")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True, exist_ok=True)
    place.mkdir(parents=True, exist_ok=True)
    for file in CONFIG.glob("*.properties"):
        shutil.copy(file, place)
    own = {
        "rest.port": rest_port,
        "rest.bind-port": str(rest_port),
        "jobmanager.rpc.port": ports.free(),
        "io.tmp.dirs": str(scratch),
        "execution.checkpointing.dir": checkpoints,
    }
    if metrics_ports:
        own["metrics.reporter.prom.factory.class"] = "org.apache.flink.metrics.prometheus.PrometheusReporterFactory"
        own["metrics.reporter.prom.port"] = metrics_ports
    (place / "config.yaml").write_text((CONFIG / "config.yaml").read_text() + "\n" + yaml.safe_dump(own))


def command(home: Path, entry: str, memory: list[str], *options: str) -> list[str]:
    """The command that runs one of Flink's entry points."""
    configuration = folder(home, "conf")
    return [
        "java",
        *memory,
        "-XX:+UseSerialGC",
        *_settings()["env.java.opts.all"].split(),
        f"-Dlog4j.configurationFile={configuration / 'log4j-console.properties'}",
        "-cp",
        f"{folder(home, 'lib')}/*",
        entry,
        "--configDir",
        str(configuration),
        *options,
    ]


def environment(home: Path) -> dict[str, str]:
    """What Flink's processes and the client need to find each other, and the workers this interpreter."""
    return {
        **os.environ,
        **process.JAVA,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "FLINK_HOME": str(wheel()),  # without it PyFlink overwrites FLINK_LIB_DIR
        "FLINK_CONF_DIR": str(folder(home, "conf")),
        "FLINK_LIB_DIR": str(folder(home, "lib")),
        "FLINK_PLUGINS_DIR": str(wheel() / "plugins"),
        "FLINK_LOG_DIR": str(home.absolute() / "logs"),
        "JVM_ARGS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    }


def _settings() -> dict[str, Any]:
    return dict(yaml.safe_load((CONFIG / "config.yaml").read_text()))


def taskmanager_memory(heap_mib: int | None) -> list[str]:
    """The limits for a TaskManager's JVM that belong to the memory settings; `heap_mib` in place of theirs."""
    settings = _settings()

    def megabytes(*names: str) -> int:
        return sum(int(str(settings[f"taskmanager.memory.{name}"]).removesuffix(" mb")) for name in names)

    heap = megabytes("framework.heap.size", "task.heap.size")
    direct = megabytes("framework.off-heap.size", "task.off-heap.size", "network.max")
    metaspace = megabytes("jvm-metaspace.size")
    return [f"-Xmx{heap_mib or heap}m", f"-XX:MaxDirectMemorySize={direct}m", f"-XX:MaxMetaspaceSize={metaspace}m"]
