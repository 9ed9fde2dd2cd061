"""One Kafka broker in KRaft mode, run from its Maven jars: broker and controller in one process, loopback only."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from api.stack import ports, process
from api.stack.errors import Exit, StackError

JARS = Path(sys.prefix) / "jars" / "kafka"
CONFIG = Path(__file__).resolve().parent / "conf"
START_SECONDS = 60.0
STOP_SECONDS = 15.0


class KafkaBroker:
    """A broker whose data live in `home`/kafka and whose log is `home`/logs/kafka.log.

    It may be killed at any instant and started again on the same data. `controller_port` is the broker's own affair:
    by default a free one, a new one at each start.
    """

    name = "kafka"

    def __init__(self, home: Path, port: int, *, heap_mb: int = 512) -> None:
        self.home = home.absolute()
        self.port = port
        self.heap_mb = heap_mb
        self.log = self.home / "logs" / "kafka.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """The address for clients."""
        return f"{ports.HOST}:{self.port}"

    def start(self) -> None:
        """Start the broker without waiting for it; the first start formats the data directory (2 s).

        Raises StackError if the port is taken or the jars are not there.
        """
        if not any(JARS.glob("kafka_2.13-*.jar")):
            raise StackError(f"The Kafka broker's jars are not in {JARS}. Run `make setup`.", Exit.PREREQUISITE)
        ports.require(self.port, "Kafka", "--kafka-port")
        config = self._write_config()
        if not (self.home / "kafka" / "data" / "meta.properties").exists():
            self._format(config)
        self.process = process.start([*self._java(), "kafka.Kafka", config], self.log, process.JAVA)

    def ready(self) -> bool:
        """Whether the broker answers requests. Raises StackError if it has ended instead."""
        if not self.alive():
            raise StackError(f"The Kafka broker ended. Its log, {self.log}, closes with:\n{process.tail(self.log)}")
        if not ports.answers(self.port):
            return False
        try:
            admin = KafkaAdminClient(bootstrap_servers=self.bootstrap, bootstrap_timeout_ms=2000)
        except KafkaError:
            return False
        try:
            return bool(admin.describe_cluster()["brokers"])
        except KafkaError:
            return False
        finally:
            admin.close()

    def alive(self) -> bool:
        """Whether the broker's process runs."""
        return self.process is not None and self.process.poll() is None

    def pids(self) -> list[int]:
        """The broker's process, while it runs."""
        return [self.process.pid] if self.process is not None and self.alive() else []

    def wait(self, seconds: float = START_SECONDS) -> KafkaBroker:
        """Wait until the broker is ready. Raises StackError after `seconds`, or when it has ended."""
        deadline = time.monotonic() + seconds
        while not self.ready():
            if time.monotonic() > deadline:
                raise StackError(f"The Kafka broker did not answer within {seconds:.0f} s; see {self.log}.")
            time.sleep(0.1)
        return self

    def stop(self) -> None:
        """Stop the broker in order; kill it after 15 s. Harmless when it does not run."""
        process.stop(self.process, STOP_SECONDS)
        self.process = None

    def kill(self) -> None:
        """SIGKILL, as a crash would do."""
        if self.process is not None:
            process.kill_group(self.process.pid)
            self.process.wait()
            self.process = None

    def _java(self) -> list[str]:
        return [
            "java",
            f"-Xmx{self.heap_mb}m",
            "-XX:+UseSerialGC",
            "-Xshare:auto",
            f"-Dlog4j2.configurationFile={CONFIG / 'log4j2.properties'}",
            "-cp",
            f"{JARS}/*",
        ]

    def _write_config(self) -> Path:
        data = self.home / "kafka"
        data.mkdir(parents=True, exist_ok=True)
        controller = ports.free()
        settings = {
            "listeners": f"PLAINTEXT://{ports.HOST}:{self.port},CONTROLLER://{ports.HOST}:{controller}",
            "advertised.listeners": f"PLAINTEXT://{ports.HOST}:{self.port}",
            "controller.quorum.voters": f"1@{ports.HOST}:{controller}",
            "log.dirs": data.resolve() / "data",
        }
        config = data / "server.properties"
        base = (CONFIG / "server.properties").read_text()
        config.write_text(base + "\n" + "".join(f"{name}={_escaped(value)}\n" for name, value in settings.items()))
        return config

    def _format(self, config: Path) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        tool = [*self._java(), "kafka.tools.StorageTool", "format"]
        command = [*tool, f"--cluster-id={cluster}", "--config", str(config)]  # an id may begin with a dash
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **process.JAVA})  # noqa: S603 (ours)
        if done.returncode:
            raise StackError(f"Kafka could not format {self.home / 'kafka'}: {(done.stderr or done.stdout).strip()}")


def _escaped(value: object) -> str:
    """A value for a properties file, which Java reads as Latin-1 with escapes of UTF-16 units."""
    units = str(value).encode("utf-16-be")
    codes = (int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2))
    return "".join(chr(code) if 32 <= code < 127 and code != ord("\\") else f"\\u{code:04x}" for code in codes)
