"""Plays a pack's traffic: the past of a made-up business in about a minute, then on in real time.

    python -m jobs.traffic.play trade_lifecycle --bootstrap 127.0.0.1:19092 --lane demo --home .daymark/traffic/demo

A second run goes on where the lane's clock stands: it finishes the items that the first one left open and begins new
ones under a name of its own. `truth.ndjson` in the home lists the findings that must be there.
"""

from __future__ import annotations

import argparse
import importlib
import json
import random
import signal
import string
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from kafka import KafkaProducer
from kafka.errors import KafkaError

from jobs import logs
from jobs.clock import now_ms
from jobs.ticks import last_tick
from jobs.traffic.item import HOUR
from jobs.traffic.player import Player
from jobs.traffic.stream import Business, Run, Stream

CATCH_UP_SECONDS = 66
"""How long the past takes, unless told otherwise."""


def main(argv: Sequence[str] | None = None) -> int:
    """Play until SIGTERM or SIGINT; 1 when the broker fails."""
    options = parse(argv)
    log = logs.configure("traffic")
    business = business_of(options.pack)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    topic = f"daymark.events.{options.lane}"
    options.home.mkdir(parents=True, exist_ok=True)
    try:
        clock = last_tick(options.bootstrap, topic)
        stream = plan(business, options.home / "run.json", clock, now_ms(), options)
        log.info("playing", extra={"topic": topic, "from": stream.clock, "runs": [run.name for run in stream.runs]})
        producer = KafkaProducer(
            bootstrap_servers=options.bootstrap, enable_idempotence=True, acks="all", linger_ms=20, batch_size=131_072
        )
        with (options.home / "truth.ndjson").open("a") as truth:
            player = Player(producer, topic, stream, truth, now_ms)
            player.bridge(stream.runs[-1].since - 1)
            player.catch_up(options.speed or business.hours * 3600 / CATCH_UP_SECONDS, stop)
            log.info("caught up with the present", extra={"sent": player.sent})
            player.live(stop)
        producer.close(timeout=5)
    except KafkaError as error:
        log.error("the broker failed", extra={"error": str(error)})
        return 1
    log.info("stopped", extra={"sent": player.sent, "clock": stream.clock})
    return 0


def business_of(pack: str) -> Business:
    """The traffic of a pack. Raises ModuleNotFoundError where there is none."""
    found: Business = importlib.import_module(f"jobs.traffic.{pack}").BUSINESS
    return found


def plan(business: Business, memory: Path, clock: int | None, today: int, options: argparse.Namespace) -> Stream:
    """What is to be played, given where the lane's clock stands (epoch ms; None: never used). Remembers the runs.

    `memory` keeps every run that may have left items open: those that went on until less than the longest story ago.
    """
    since = today - int((options.hours or business.hours) * HOUR)
    runs: list[Run] = []
    if clock is None:
        clock = since - 1
    else:
        since = max(since, clock + 1)
        ended = (run if run.until is not None else replace(run, until=clock) for run in remembered(memory))
        runs = [run for run in ended if (run.until or 0) > clock - business.longest]
    runs.append(Run(options.run or name_for(since), options.seed, since))
    draft = memory.with_suffix(".tmp")
    draft.write_text(json.dumps([asdict(run) for run in runs]))
    draft.replace(memory)  # in one step: who is stopped here leaves the old runs or the new ones
    return Stream(business, runs, after=clock)


def remembered(memory: Path) -> list[Run]:
    """The runs that were written down; versions before this one kept the last only."""
    if not memory.exists():
        return []
    known = json.loads(memory.read_text())
    return [Run(**run) for run in (known if isinstance(known, list) else [known])]


def name_for(instant: int) -> str:
    """A short name that later runs don't have: the instant's seconds in base 36."""
    digits, number, name = string.digits + string.ascii_lowercase, instant // 1000, ""
    while number:
        number, digit = divmod(number, 36)
        name = digits[digit] + name
    return name


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="jobs.traffic.play", description="Made-up traffic for the demo.")
    parser.add_argument("pack", help="whose traffic: a pack's name")
    parser.add_argument("--bootstrap", required=True, metavar="HOST:PORT")
    parser.add_argument("--lane", default="demo")
    parser.add_argument("--home", type=Path, required=True, help="where the truth and the run are written down")
    parser.add_argument("--speed", type=float, help="times life, while catching up (default: takes a minute)")
    parser.add_argument("--hours", type=float, help="how far back a first run begins (default: the business's own)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    parser.add_argument("--run", help="the name in every key (default: one of its own)")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
