"""A morning on a trading desk, as rows, up to a given instant: what screens are looked at with, without Kafka."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import orjson

from api.store import Store
from tests.api.alertrows import alert, delivery, incident, logged
from tests.api.rows import event, finding, insert, item, progress, transition

SAID = {"ingest": "ingested", "verify": "verified", "send": "sent", "reply": "replied", "settle": "settled"}
STEPS = tuple(SAID)
TYPICAL = {"verify": 20_000, "send": 15_000, "reply": 90_000, "settle": 600_000}
WITHIN = {"verify": 120_000, "reply": 300_000, "settle": 1_800_000}
BOOKS = ("rates-1", "rates-2", "equity-1", "credit-1")
LATE = "T-LATE-1"
"""The trade whose reply does not come."""

LATE_ALERT = hashlib.sha256(f"{LATE}replymissing".encode()).hexdigest()[:32]
"""The alert about it."""

INCIDENT = "1" * 32

Row = dict[str, Any]


class Seed:
    """Rows by table."""

    def __init__(self, now_ms: int, seed: int = 3) -> None:
        self.now = now_ms
        self.draw = random.Random(seed)
        self.rows: dict[str, list[Row]] = {
            name: []
            for name in (
                "events",
                "transitions",
                "items",
                "findings",
                "progress",
                "dead_letters",
                "alerts",
                "alertlog",
                "incidents",
                "deliveries",
            )
        }

    def trade(self, key: str, start: int, took: dict[str, int], groups: dict[str, str]) -> None:
        """A trade with how long each of its steps took (ms), as far as it has come by now; a step without is stuck."""
        at, previous, reached = start, "", "ingest"
        missing = late = overdue = 0
        warned = False
        pending: list[Row] = []
        for number, step in enumerate(STEPS):
            began = at
            if step != "ingest":
                due = began + WITHIN[step] if step in WITHIN else None
                came = began + took[step] if step in took else None
                broken = due is not None and due < self.now and (came is None or came > due)
                if broken and due is not None:
                    missing += 1
                    self._found(key, step, previous, began, due, None, groups)
                    if came is not None and came <= self.now:
                        late += 1
                        self._found(key, step, previous, began, due, came, groups)
                if came is None or came > self.now:
                    if broken:
                        overdue += 1
                    elif due is not None:
                        pending = [{"id": step, "due_ms": due}]
                        warned = step == "reply" and self._warned(key, previous, began, groups)
                    break
                at = came
            self._hop(key, number, step, previous, at, began if previous else None, groups)
            previous = reached = step
        done = reached == "settle"
        self.rows["items"].append(
            item(
                workflow="trade_lifecycle",
                key=key,
                run_ms=start,
                started_ms=start,
                updated_ms=at,
                ended_ms=at if done else None,
                status="completed" if done else "in_flight",
                step=reached,
                events=STEPS.index(reached) + 1,
                missing=missing,
                late=late,
                other=int(warned),
                overdue=overdue,
                pending=pending,
                next_due_ms=pending[0]["due_ms"] if pending else None,
                groups=groups,
                amount=float(self.draw.randint(10, 900) * 1000),
                rev=at,
            )
        )

    def _hop(self, key: str, number: int, step: str, previous: str, at: int, since: int | None, groups: Row) -> None:
        name = hashlib.sha256(f"{key}{step}".encode()).hexdigest()[:32]
        kind = f"trade.{SAID[step]}"
        data = {
            "id": name,
            "type": kind,
            "data": {"trade_id": key, **groups, "trader": "***", "quantity": number * 100},
        }
        text = orjson.dumps(data).decode()
        self.rows["events"].append(
            event(
                id=name,
                type=kind,
                time_ms=at,
                received_ms=at + 40,
                key=key,
                key_name="trade_id",
                groups=groups,
                data=text,
                source="/trading",
                offset=len(self.rows["events"]),
            )
        )
        took = None if since is None else at - since
        queue = None if took is None else took * 2 // 3
        self.rows["transitions"].append(
            transition(
                workflow="trade_lifecycle",
                key=key,
                event_id=name,
                source="/trading",
                event_type=kind,
                step=step,
                previous=previous,
                at_ms=at,
                previous_at_ms=since,
                duration_ms=took,
                queue_ms=queue,
                work_ms=None if took is None or queue is None else took - queue,
                groups=groups,
            )
        )

    def _warned(self, key: str, because: str, since: int, groups: Row) -> bool:
        """Says that a reply is at risk, as the rule does after 80 % of its time; whether it is."""
        at = since + WITHIN["reply"] * 8 // 10
        if at > self.now:
            return False
        name = hashlib.sha256(f"{key}at risk".encode()).hexdigest()[:32]
        about = {"workflow": "trade_lifecycle", "rule": "reply", "key": key, "step": "reply", "because": because}
        times = {"since_ms": since, "deadline_ms": at}
        said = finding(id=name, kind="at_risk", severity="critical", groups=groups, **about, **times)
        self.rows["findings"].append(said)
        return True

    def _found(self, key: str, step: str, because: str, since: int, due: int, came: int | None, groups: Row) -> None:
        kind = "missing" if came is None else "late"
        severity = "critical" if step == "reply" else "high"
        name = hashlib.sha256(f"{key}{step}{kind}".encode()).hexdigest()[:32]
        event_id = hashlib.sha256(f"{key}{step}".encode()).hexdigest()[:32] if came else ""
        self.rows["findings"].append(
            finding(
                id=name,
                workflow="trade_lifecycle",
                rule=step,
                kind=kind,
                severity=severity,
                key=key,
                step=step,
                because=because,
                since_ms=since,
                deadline_ms=due,
                at_ms=came,
                event_id=event_id,
                groups=groups,
                delta_ms=None if came is None else came - due,
                runbook=f"runbooks/{step}.md",
            )
        )

    def typical(self) -> dict[str, int]:
        """How long the steps of a trade take, more or less."""
        return {step: round(ms * self.draw.lognormvariate(0, 0.45)) for step, ms in TYPICAL.items()}

    def morning(self, trades: int = 300, span_ms: int = 2 * 3_600_000) -> Seed:
        """`trades` that began evenly in the last `span_ms`, some of them stuck, and another workflow that is blind."""
        for number in range(trades):
            groups = {"market": self.draw.choice(("EU", "US", "APAC")), "book": self.draw.choice(BOOKS)}
            took = self.typical()
            if number % 29 == 7:
                took.pop("reply" if number % 2 else "settle")
            self.trade(f"T-{number:05d}", self.now - span_ms + number * span_ms // trades, took, groups)
        for week in range(1, 5):  # the baseline: the same hour, a week ago and before
            for number in range(40):
                start = self.now - week * 7 * 86_400_000 - 3_600_000 + number * 90_000
                self.trade(f"W{week}-{number:03d}", start, self.typical(), {"market": "EU", "book": "rates-1"})
        stuck = self.typical() | {"verify": 21_000, "send": 15_000}
        stuck.pop("reply")
        self.trade(LATE, self.now - 1_200_000, stuck, {"market": "EU", "book": "rates-1"})
        soon = {"verify": 9_000, "send": 6_000}
        self.trade("T-SOON-1", self.now - 258_000, soon, {"market": "EU", "book": "rates-1"})
        self.rows["items"] += [
            item(
                lane="files",
                workflow="file_receipt",
                key=f"F-{n}",
                run_ms=self.now - 7_200_000,
                step="receive",
                started_ms=self.now - 7_200_000,
                updated_ms=self.now - 7_000_000,
                groups={"partner": "Meridian"},
            )
            for n in range(12)
        ]
        self.rows["items"] += [
            item(
                workflow="daily_feeds",
                key=f"HAL/{name}",
                run_ms=self.now - 9_000_000,
                step="receive",
                status="completed",
                started_ms=self.now - 9_000_000,
                updated_ms=self.now - 9_000_000,
                ended_ms=self.now - 9_000_000,
                groups={"partner": "HAL"},
                amount=None,
            )
            for name in ("balances", "statements", "fx-rates")
        ]
        self.rows["progress"] += [
            progress(watermark_ms=self.now - 2_000, at_ms=self.now),
            progress(lane="files", watermark_ms=self.now - 7_000_000, at_ms=self.now - 7_000_000),
        ]
        self.rows["dead_letters"] += [
            {
                "lane": "main",
                "topic": "daymark.events.main",
                "partition": 0,
                "offset": n,
                "received_ms": self.now - n,
                "reason": reason,
                "detail": detail,
                "raw": raw,
            }
            for n, (reason, detail, raw) in enumerate(
                [
                    ("not_json", "line 1 column 2: unexpected character", "eyd4Jzox"),
                    ("no_key", "data.trade_id is not there", "eyJpZCI6IDF9"),
                ]
            )
        ]
        return self

    def alerted(self) -> Seed:
        """What the alert job makes of it: an alert for each deadline that is broken, one incident, one mail."""
        late = {(row["key"], row["rule"]) for row in self.rows["findings"] if row["kind"] == "late"}
        for row in self.rows["findings"]:
            if row["kind"] != "missing" or (row["key"], row["rule"]) in late:
                continue
            told = alert(
                id=row["id"],
                workflow=row["workflow"],
                rule=row["rule"],
                severity=row["severity"],
                key=row["key"],
                groups=row["groups"],
                step=row["step"],
                because=row["because"],
                runbook=row["runbook"],
                breach_ms=row["deadline_ms"],
                opened_ms=row["deadline_ms"] + 2_000,
                respond_by_ms=row["deadline_ms"] + (1_200_000 if row["severity"] == "critical" else 3_600_000),
                changed_ms=row["deadline_ms"] + 2_000,
                finding=row["id"],
                team="trade-support",
                incident=INCIDENT if row["rule"] == "reply" else "",
                summary=f"{row['step']} is missing: {row['key']}",
                rev=row["deadline_ms"] << 20,
            )
            self.rows["alerts"].append(told)
            self.rows["alertlog"].append(logged(alert=row["id"], at_ms=told["opened_ms"], rev=told["rev"]))
            if row["key"] == LATE:
                self.rows["deliveries"].append(delivery(alerts=[row["id"]], at_ms=told["opened_ms"] + 400))
        hit = [row for row in self.rows["alerts"] if row["incident"]]
        self.rows["incidents"].append(
            incident(
                id=INCIDENT, title="Replies are missing", alerts=len(hit), items=len(hit), opened_ms=hit[0]["opened_ms"]
            )
        )
        return self

    def write(self, store: Store) -> None:
        """Into the store."""
        for table, rows in self.rows.items():
            if rows:
                insert(store, table, *rows)
