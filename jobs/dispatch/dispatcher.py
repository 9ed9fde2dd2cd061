"""The shell around the plan: reads, asks, sends, records. It decides nothing.

A delivery goes: its turn comes (plan) → put into words → the log is read to its end → still to be sent? (plan) → send
→ row to `daymark.deliveries` → finished (plan) → progress committed. Killed anywhere before the row is safe, it begins
anew, with the same idempotency key; behind that it is over. Of several dispatchers one sends (turn).
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Literal

import msgspec
from kafka.errors import KafkaError

from jobs.channels.outbox import Outbox
from jobs.clock import now_ms
from jobs.dispatch.kafkaside import DocumentLog, Writer
from jobs.dispatch.log import Begun, Entry, NotificationLog
from jobs.dispatch.metrics import DispatcherMetrics
from jobs.dispatch.outcomes import refused_row
from jobs.dispatch.plan import Plan
from jobs.dispatch.queues import Pending
from jobs.dispatch.records import Delivery, Notify, Presence
from jobs.dispatch.standby import Standby
from jobs.dispatch.turn import BEAT_MS, Turn
from jobs.dispatch.watch import Watch

FLOOR_S = 0.25
FINISH_S = 5.0
AGAIN_S = 2.0
OBSERVE_S = 1.0
END_S = 2.0

log = logging.getLogger("dispatcher")


class Dispatcher:
    """Sends notifications when it is its turn, until told to stop or until another one has taken the turn.

    What fails and isn't a channel ends the whole: a restart begins anew. `place` and `fresh`: see Turn.
    """

    def __init__(
        self,
        bootstrap: str,
        prefix: str,
        outbox: Outbox,
        documents: dict[str, Any],
        writer: Writer,
        *,
        place: str,
        metrics: DispatcherMetrics,
        fresh: bool = True,
    ) -> None:
        self.plan = Plan()
        self.watch = Watch()
        self.turn = Turn(uuid.uuid4().hex, place, fresh)
        self.standby = Standby(bootstrap, prefix, self.turn)
        self.metrics = metrics
        self.notifications = f"{prefix}notifications"
        self.outbox = outbox
        self.writer = writer
        self.deliveries, self.findings = f"{prefix}deliveries", f"{prefix}findings"
        self.log = NotificationLog(bootstrap, prefix, self._take)
        self.documents = DocumentLog(bootstrap, f"{prefix}alerting", documents, self._changed)
        self._wakes: dict[str, asyncio.Event] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._sought = asyncio.Event()
        self._over = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Dispatch until `stop` is set, or the turn is lost; then finish what is being sent.

        Waits for its turn and for Kafka, however long that takes.
        """
        if (begun := await self._begin(stop)) is None:
            self.writer.close()
            return
        for row in begun.rows:
            self.plan.recall(row)
        for record in begun.records:
            self.plan.recall_record(record)
        self.plan.position = begun.offset
        async with asyncio.TaskGroup() as group:
            reading = [group.create_task(self.documents.follow())]
            await self.documents.complete.wait()
            self._group = group
            log.info("dispatching", extra={"offset": begun.offset, "rows": len(begun.rows)})
            reading += map(group.create_task, (self.log.follow(), self._keep_floor(), self._seek(), self._beat()))
            reading += map(group.create_task, (self._observe(), self._tell_of_channels()))
            self.metrics.sending.set(1)
            stopping = group.create_task(stop.wait())
            await asyncio.wait({stopping, group.create_task(self._over.wait())}, return_when=asyncio.FIRST_COMPLETED)
            self._group = None
            await self._finish()
            for task in (*reading, stopping):
                task.cancel()
            self._over.set()
        self.metrics.sending.set(0)
        await self._say_end()
        self.writer.close()

    async def _begin(self, stop: asyncio.Event) -> Begun | None:
        """When its turn has come, what earlier runs have left, asked for until Kafka answers; None if told to stop
        before."""
        while not stop.is_set():
            try:
                if not await self.standby.wait(stop):
                    return None
                await self._say("begins")
                return await asyncio.to_thread(self.log.begin)
            except KafkaError as error:
                log.warning("waiting for Kafka and its topics", extra={"error": f"{error!r}"})
                with suppress(TimeoutError):
                    async with asyncio.timeout(AGAIN_S):
                        await stop.wait()
        return None

    def _take(self, entries: list[Entry]) -> None:
        """New records of the log; called in the event loop, before anybody is told that they have been read."""
        now = now_ms()
        for offset, record in entries:
            if isinstance(record, Presence):
                self.turn.hear(record, now)
            self.plan.take(offset, record, now)
        if self.turn.lost:
            if not self._over.is_set():
                log.warning("another dispatcher has begun; this one sends no more and stands by")
            self._over.set()
            return
        for pending, row in self.plan.sweep(now):
            self._spawn(self._record(pending, row))
        if self.plan.sought:
            self._sought.set()
        self._wake(*self.plan.queues)

    def _changed(self, key: str) -> None:
        kind, _, channel = key.partition("/")
        if kind == "channel":
            self.plan.changed(channel, now_ms())
            self._wake(channel)

    def _wake(self, *channels: str) -> None:
        for channel in channels:
            if channel not in self._wakes and self._group is not None:
                self._wakes[channel] = asyncio.Event()
                self._under_way.add(self._group.create_task(self._serve(channel), name=f"serve {channel}"))
            if channel in self._wakes:
                self._wakes[channel].set()

    def _spawn(self, delivery: Coroutine[Any, Any, None]) -> None:
        """Let a delivery run beside the others."""
        if self._group is None:  # stopping: the next run does it
            delivery.close()
            return
        task = self._group.create_task(delivery)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _serve(self, channel: str) -> None:
        """One channel: start what is due, wait for what is next due or for news."""
        wake = self._wakes[channel]
        while self._group is not None:
            wake.clear()
            while (pending := self.plan.start(channel, now_ms())) is not None:
                self._spawn(self._deliver(pending))
            due = self.plan.next_time(channel)
            with suppress(TimeoutError):
                async with asyncio.timeout(None if due is None else max(1, due - now_ms()) / 1000):
                    await wake.wait()

    async def _deliver(self, pending: Pending) -> None:
        letter = None
        while letter is None or letter.notice is not pending.notice:  # again, if some of its alerts have been halted
            letter = await self.outbox.prepare(pending.notice)
            await self.log.caught_up()
            if self.turn.lost:
                return  # it is the other one's to send
            began = now_ms()
            if (row := self.plan.confirm(pending, began)) is not None:
                break
        else:
            row = self.plan.end(pending, await self.outbox.send(letter), began, now_ms())
        await self._record(pending, row)

    async def _record(self, pending: Pending, row: Delivery) -> None:
        row.type = self.outbox.type_of(row.channel)
        await self._write(row)
        self.plan.recorded(pending, row)
        self.watch.note(pending.notice, row)
        self._wake(row.channel)

    async def _write(self, row: Delivery) -> None:
        level = logging.INFO if row.outcome == "sent" else logging.WARNING
        log.log(level, "delivery %s", row.outcome, extra=msgspec.to_builtins(row) | {"person": None})
        await self.writer.write(self.deliveries, row.id, msgspec.json.encode(row))
        self.metrics.count(row)

    async def _keep_floor(self) -> None:
        """Now and then, tell the log how far all is finished."""
        while True:
            self.log.floor = self.plan.floor
            await asyncio.sleep(FLOOR_S)

    async def _observe(self) -> None:
        """Now and then, look how the channels are."""
        while True:
            self.metrics.observe(self.plan, now_ms())
            await asyncio.sleep(OBSERVE_S)

    async def _tell_of_channels(self) -> None:
        """Now and then, write down what people should know about the channels themselves."""
        while True:
            for row in self.watch.look(self.plan.queues, now_ms()):
                await self.writer.write(self.findings, row["key"], msgspec.json.encode(row))
            await asyncio.sleep(OBSERVE_S)

    async def _beat(self) -> None:
        """Now and then, tell those who stand by that this one is still there."""
        while True:
            await asyncio.sleep(BEAT_MS / 1000)
            try:
                await self._say("lives")
            except KafkaError as error:  # then nobody else gets his word out either
                log.warning("can't say that this one lives", extra={"error": f"{error!r}"})

    async def _say_end(self) -> None:
        """Let whoever stands by go on at once."""
        if not self.turn.lost:
            with suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(END_S):
                    await self._say("ends")

    async def _say(self, what: Literal["begins", "lives", "ends"]) -> None:
        said = Presence(self.turn.run, what, self.turn.place, now_ms())
        await self.writer.attempt(self.notifications, "", msgspec.json.encode(said))

    async def _seek(self) -> None:
        """Find in the log what somebody wants to be tried again and the plan has forgotten."""
        while True:
            await self._sought.wait()
            self._sought.clear()
            wanted = set(self.plan.sought)
            try:
                found = await asyncio.to_thread(self.log.find, wanted)
            except KafkaError as error:
                log.warning("dead letters can't be looked for now", extra={"error": f"{error!r}"})
                await asyncio.sleep(AGAIN_S)
                self._sought.set()
                continue
            for record in found:
                self.plan.recall_record(record)  # what was acknowledged long ago stays so
            notices = {one.id: one for one in found if isinstance(one, Notify)}
            for id in wanted:
                if id not in notices:
                    await self._write(refused_row(id, now_ms()))
                self.plan.found(id, notices.get(id), now_ms())
            self._wake(*self.plan.queues)

    async def _finish(self) -> None:
        """Give what is being sent a few seconds; what isn't finished then is sent by the next run."""
        for wake in self._wakes.values():
            wake.set()
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=FINISH_S)
        for task in self._under_way:
            task.cancel()
        self.log.floor = self.plan.floor
