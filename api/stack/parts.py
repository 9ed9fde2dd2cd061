"""What a stack is made of: parts that start without waiting, say when they are ready, and stop when told."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx

from api.stack import ports, process
from api.stack.errors import StackError
from api.tls import trusting


class Part(Protocol):
    """A process, or a few, that the supervisor looks after."""

    @property
    def name(self) -> str:
        """The name of the part and of its log."""
        ...

    def start(self) -> None:
        """Start without waiting."""
        ...

    def ready(self) -> bool:
        """Whether the part does its work by now. Raises StackError, with the log's last lines, if it ended instead."""
        ...

    def alive(self) -> bool:
        """Whether all its processes run."""
        ...

    def pids(self) -> list[int]:
        """The processes that run now."""
        ...

    def stop(self) -> None:
        """Stop in order; harmless when nothing runs."""
        ...


@dataclass
class Service:
    """A part that is one process of ours. `is_up` is asked until it says yes; by default it is up once it runs."""

    name: str
    command: Sequence[str | Path]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    is_up: Callable[[], bool] = lambda: True
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = process.start(self.command, self.log, self.env)

    def ready(self) -> bool:
        if not self.alive():
            raise StackError(f"{self.name} ended. Its log, {self.log}, closes with:\n{process.tail(self.log)}")
        return self.is_up()

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def pids(self) -> list[int]:
        return [self.process.pid] if self.process is not None and self.alive() else []

    def stop(self) -> None:
        process.stop(self.process)
        self.process = None


@dataclass(frozen=True)
class Options:
    """What a stack is asked to run. `lane` is the live lane; `traffic` feeds it in place of the ticker (its clock)."""

    home: Path
    lane: str = "main"
    packs: tuple[Path, ...] = ()
    mappings: tuple[Path, ...] = ()
    http_port: int = 8420
    kafka_port: int = 19092
    flink_port: int = 18081
    parallelism: int = 1
    traffic: tuple[str, ...] = ()
    tls: tuple[Path, Path] | None = None  # certificate and key

    @property
    def tls_cert(self) -> str:
        return str(self.tls[0]) if self.tls else ""

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{ports.HOST}:{self.http_port}"

    @property
    def bootstrap(self) -> str:
        return f"{ports.HOST}:{self.kafka_port}"


def module(name: str, *arguments: str | Path) -> list[str]:
    """The command that runs one of our modules with this interpreter."""
    return [sys.executable, "-m", name, *map(str, arguments)]


def serving(options: Options) -> Service:
    """The serving process: API, page, and the loader on the embedded ClickHouse."""
    settings = {
        "HOME": str(options.home),
        "KAFKA": options.bootstrap,
        "LANE": options.lane,
        "PORT": str(options.http_port),
        "MAPPINGS": os.pathsep.join(map(str, options.mappings)),
        "PACKS": os.pathsep.join(map(str, options.packs)),
        "TLS_CERT": options.tls_cert,
        "TLS_KEY": str(options.tls[1]) if options.tls else "",
    }
    return Service(
        "serving",
        module("api.main"),
        options.home / "logs" / "serving.log",
        {f"DAYMARK_{name}": value for name, value in settings.items()},
        lambda: _says_yes(f"{options.url}/readyz", options.tls_cert),
    )


def ticker(options: Options, topics: Sequence[str]) -> Service:
    """The wall clock of the live lane."""
    arguments = [word for topic in topics for word in ("--topic", topic)]
    command = module("jobs.ticker", "--bootstrap", options.bootstrap, *arguments)
    return Service("ticker", command, options.home / "logs" / "ticker.log")


def traffic(options: Options) -> Service:
    """The demo's traffic: events with seeded faults, and the clock of its lane."""
    name, *arguments = options.traffic
    home = options.home / "traffic" / options.lane
    command = module(name, "--bootstrap", options.bootstrap, "--lane", options.lane, "--home", home, *arguments)
    return Service("traffic", command, options.home / "logs" / "traffic.log")


def dispatcher(options: Options, smtp: str = "") -> Service:
    """Sends notifications to people. `smtp` is what channels find as DAYMARK_SMTP, unless that is set."""
    usual = {"DAYMARK_SMTP": smtp, "DAYMARK_PUBLIC_URL": options.url}
    env = {"DAYMARK_HOME": str(options.home)} | {name: os.environ.get(name, value) for name, value in usual.items()}
    command = module("jobs.dispatcher", "--bootstrap", options.bootstrap)
    return Service("dispatcher", command, options.home / "logs" / "dispatcher.log", env)


def mailbox(options: Options, port: int) -> Service:
    """A mail server that delivers nothing: what the demo sends is kept as files in the home."""
    command = module("jobs.mailbox", "--port", str(port), "--folder", options.home / "mailbox")
    return Service("mailbox", command, options.home / "logs" / "mailbox.log")


def create_topics(options: Options, lane: str, also: Sequence[str] = ()) -> None:
    """Create the topics of docs/contracts.md, and those in `also`, that are not there yet.

    Raises StackError with what the broker said.
    """
    further = [word for topic in also for word in ("--topic", topic)]
    command = module("jobs.topics", "--bootstrap", options.bootstrap, "--lane", lane, *further)
    done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603 (our own command)
    if done.returncode:
        raise StackError(
            f"The topics of lane {lane} could not be created: {done.stderr.strip() or done.stdout.strip()}"
        )


def _says_yes(url: str, cert: str) -> bool:
    try:
        return httpx.get(url, timeout=2, verify=trusting(cert)).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
