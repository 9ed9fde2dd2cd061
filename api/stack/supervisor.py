"""Starts the parts in order, looks after them while they run, stops them in order.

Kafka, Flink and the serving process start at the same time, since each spends its first seconds alone; the topics
need the broker, the job needs topics and cluster, and the clock starts last, so that nothing falls due before
somebody looks.
A part that ends is started again on its own data; one that keeps ending stops the whole, with its last words.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from api.stack import claims, ports
from api.stack.detection import ALERT_CLOCK, Detection, topics
from api.stack.errors import Exit, StackError
from api.stack.home import Home, State, running
from api.stack.job import Job
from api.stack.kafka import KafkaBroker
from api.stack.parts import Options, Part, create_topics, dispatcher, mailbox, serving, ticker, traffic

START_SECONDS = 120.0
RESTARTS = 3
RESTART_WINDOW = 600.0
POLL = 0.25
SWEEP_SECONDS = 5.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

log = logging.getLogger("supervisor")


class Interrupted(Exception):
    """A signal asked the stack to stop."""


class Supervisor:
    """One stack in one home. `say` gets a line for each thing that a person wants to see happen.

    `before_time` is called when everything answers and no clock runs yet, so before anything can fall due;
    `before_stop` when stopping begins, before any part is stopped.
    """

    def __init__(self, home: Home, options: Options, say: Callable[[str], None]) -> None:
        self.home = home
        self.options = options
        self.say = say
        self.broker = KafkaBroker(home.path, options.kafka_port)
        self.detection = Detection(home.path, options)
        self.serving = serving(options)
        self.senders = self._make_senders()
        self.clocks: list[Part] = []
        self.before_time: Callable[[State], None] = lambda state: None
        self.before_stop: Callable[[], None] = lambda: None
        self.state = State(
            supervisor=running(os.getpid()),
            started=time.time(),
            lane=options.lane,
            packs=[str(pack) for pack in options.packs],
            ports={"http": options.http_port, "kafka": options.kafka_port, "flink": options.flink_port},
            tls_cert=options.tls_cert,
        )
        self._asked_to_stop = False
        self._swept = 0.0
        self._ended: dict[str, deque[float]] = defaultdict(deque)

    def run(self, on_ready: Callable[[State], None]) -> None:
        """Start everything, call `on_ready`, and look after the parts until SIGINT or SIGTERM; then stop everything.

        Raises StackError when the stack can't be started or a part keeps ending; nothing runs any more then either.
        """
        self.home.prepare()
        self.home.lock()
        previous = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
        try:
            self.detection.hurry = True  # before the job runs, there is nothing to keep
            self._start_all()
            self.detection.hurry = False
            on_ready(self.state)
            self._watch()
        except (Interrupted, StackError):
            if not self._asked_to_stop:
                raise
        finally:
            self._stop_all()
            for number, handler in previous.items():
                signal.signal(number, handler)
            self.home.unlock()

    def _on_signal(self, number: int, _frame: object) -> None:
        """The first signal stops in order; the second one leaves out what takes time."""
        if self._asked_to_stop:
            self.detection.hurry = True
        self._asked_to_stop = True

    def _start_all(self) -> None:
        for name in self.home.sweep():
            self.say(f"{name} was left over from an earlier run and has been ended")
        ports.require(self.options.http_port, "HTTP", "--port")
        ports.require(self.options.kafka_port, "Kafka", "--kafka-port")
        ports.require(self.options.flink_port, "Flink's REST", "--flink-port")
        self.home.write(self.state)
        for part in (self.broker, self.detection, self.serving):
            self._start(part)
        self._await(self.broker)
        options = self.options
        create_topics(options, options.lane, topics(options.lane, options.packs, options.mappings))
        for sender in self.senders:
            self._start(sender)
        self._await(self.detection)
        self._submit(*self.detection.jobs)
        self._await(self.serving)
        self.before_time(self.state)
        self.clocks = self._make_clocks()
        for clock in self.clocks:
            self._start(clock)
            self._await(clock)
        self.state.ready = True
        self.home.write(self.state)

    def _make_senders(self) -> list[Part]:
        """The dispatcher, and in a demo the mail server that it sends to, unless another one is named."""
        if not self.options.traffic or os.environ.get("DAYMARK_SMTP"):
            return [dispatcher(self.options)]
        port = ports.free()
        return [mailbox(self.options, port), dispatcher(self.options, f"{ports.HOST}:{port}")]

    def _make_clocks(self) -> list[Part]:
        """The live lane's and the alert job's: one ticker, but traffic has a time of its own."""
        options = self.options
        if options.traffic:
            return [traffic(options), ticker(options, ALERT_CLOCK)]
        return [ticker(options, [*topics(options.lane, options.packs, options.mappings), *ALERT_CLOCK])]

    def _start(self, part: Part) -> None:
        log.info("starting", extra={"of": part.name})
        part.start()
        self.state.parts[part.name] = [running(pid) for pid in part.pids()]
        self.home.write(self.state)

    def _await(self, part: Part) -> None:
        began = time.monotonic()
        while not part.ready():
            if self._asked_to_stop:
                raise Interrupted
            if time.monotonic() - began > START_SECONDS:
                raise StackError(
                    f"{part.name} was not ready after {START_SECONDS:.0f} s; see {self.home.log(part.name)}."
                )
            time.sleep(POLL)
        self.say(f"{part.name} is up after {time.time() - self.state.started:.1f} s")

    def _submit(self, *jobs: Job) -> None:
        """Together, since most of it is starting Python and Java."""
        with ThreadPoolExecutor() as pool:
            submitted = [(job, pool.submit(job.submit)) for job in jobs]
        for job, done in submitted:
            came_from = done.result()
            self.state.jobs[job.folder] = job.id
            self.home.write(self.state)
            self.say(f"{job.name} is up after {time.time() - self.state.started:.1f} s{came_from}")

    def _watch(self) -> None:
        while not self._asked_to_stop:
            parts: list[Part] = [self.broker, self.detection, self.serving, *self.senders, *self.clocks]
            for part in parts:
                if not part.alive() and not self._asked_to_stop:
                    self._revive(part)
            for job in self.detection.jobs:
                if not job.is_alive() and not self._asked_to_stop:
                    self._count_end(job.name, job.why())
                    self._submit(job)
            self._sweep_lanes()
            time.sleep(POLL)

    def _sweep_lanes(self) -> None:
        """Now and then, end what a replay that was killed has left behind."""
        if time.monotonic() - self._swept < SWEEP_SECONDS:
            return
        self._swept = time.monotonic()
        for lane in claims.sweep(self.home.path, self.options.bootstrap, self.detection.cluster):
            log.info("removed a lane without an owner", extra={"lane": lane})

    def _revive(self, part: Part) -> None:
        """Start a part again that has ended, or what of it has ended."""
        self._count_end(part.name, f"see {self.home.log(part.name)}")
        self._start(part)
        self._await(part)

    def _count_end(self, name: str, why: str) -> None:
        """Say that something ended. Raises StackError when it does so too often to go on."""
        ends = self._ended[name]
        ends.append(time.monotonic())
        while ends[0] < ends[-1] - RESTART_WINDOW:
            ends.popleft()
        log.warning("ended", extra={"of": name, "times": len(ends), "why": why})
        if len(ends) > RESTARTS:
            minutes = RESTART_WINDOW / 60
            raise StackError(f"{name} ended {len(ends)} times within {minutes:.0f} minutes; {why}", Exit.FAILED)
        self.say(f"{name} ended and is being started again")

    def _stop_all(self) -> None:
        """Clocks first, so that time stops; then the jobs with savepoints; the broker last."""
        self._regardless(self.before_stop)
        self._regardless(lambda: self.say("stopping"))
        for part in (*self.clocks, self.detection, *reversed(self.senders), self.serving, self.broker):
            try:
                part.stop()
            except Exception as error:  # the others must be stopped whatever happens here
                sentence = f"{part.name} could not be stopped in order: {error}"
                log.exception("could not be stopped in order", extra={"of": part.name})
                self._regardless(partial(self.say, sentence))
        self.home.sweep()
        self.home.forget()

    def _regardless(self, tell: Callable[[], None]) -> None:
        """Tell somebody who may have gone (a closed pipe, a lost terminal): that must not keep anything running."""
        try:
            tell()
        except (Exception, SystemExit):  # rich ends the process when its pipe is broken
            log.info("nobody is listening")
