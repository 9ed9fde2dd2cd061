"""Random workflows in YAML, and random traffic for them: the same for the same seed."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from tests.flink.lane import NOON

SECOND = 1000
DISORDER = 5 * SECOND
"""How much later than it happened an event may be sent."""

HOURS = 10
"""How long the traffic lasts, in event time."""

MAPPING = """\
source: tests
format: json
id: id
type: what
time: {path: at, format: epoch_ms}
keys: {item: item}
groups: {market: market}
"""

OFFICE = {"office": {"hours": "08:00-18:00", "half_days": {"2025-06-16": "13:00"}}}


def workflow(chance: random.Random, number: int) -> dict[str, Any]:
    """A workflow of three to five steps; no other has the types of its events."""
    steps = "abcde"[: chance.randint(3, 5)]
    made: dict[str, Any] = {name: {"on": f"w{number}.{name}"} for name in steps}
    made["a"]["start"] = True
    if chance.random() < 0.7:
        made[steps[-1]]["end"] = chance.choice(["completed", "failed"])
    deadlines = [_deadline(chance, f"d{n}", steps) for n in range(chance.randint(1, 3))]
    if chance.random() < 0.3:
        made[chance.choice(steps)]["cancels"] = chance.choice(["all", [deadlines[0]["id"]]])
    definition: dict[str, Any] = {
        "workflow": f"w{number}",
        "key": "item",
        "groups": ["market"],
        "zone": chance.choice(["UTC", "Europe/London", "America/New_York", "Asia/Kolkata"]),
        "calendars": OFFICE,
        "steps": made,
        "deadlines": deadlines,
        "duplicates": {"policy": chance.choice(["flag", "drop"])},
        "remember": chance.choice(["2m", "2h"]),
        "expire_after": chance.choice(["30m", "1d"]),
    }
    if chance.random() < 0.8:
        definition |= _flow(chance, steps, made)
    if chance.random() < 0.2:
        definition["duplicates"] |= {"by": "step", "window": chance.choice(["10m", "3h"])}
    if chance.random() < 0.3:
        stop, go = chance.sample(steps, 2)
        definition["pause"] = {"while": [stop], "resume": [go]}
    return definition


def _flow(chance: random.Random, steps: str, made: dict[str, Any]) -> dict[str, Any]:
    """Chains, alternatives and joins, and what becomes of steps that come in another order."""
    first, second, third, *rest = steps
    form = chance.choice([" -> ".join(steps), f"{first} -> ({second} | {third})", f"{first} -> ({second} & {third})"])
    flow = " -> ".join([form, *rest]) if "(" in form else form
    if chance.random() < 0.2:
        made[second]["optional"] = True
    if chance.random() < 0.2:
        made[first]["max"] = 2
    policy = chance.choice(["flag", "flag", "ignore", "drop"])
    order: dict[str, Any] = {"policy": policy, "tolerance": chance.choice(["0s", "30s"])}
    if flow == " -> ".join(steps) and chance.random() < 0.4:
        order["edges"] = [{"from": first, "to": third, "policy": "alert", "tolerance": "2m", "severity": "high"}]
    more = {"unexpected": {"policy": "flag"}} if chance.random() < 0.3 else {}
    return {"flow": [flow], "order": order, **more}


def _deadline(chance: random.Random, name: str, steps: str) -> dict[str, Any]:
    after, expect = chance.sample(steps, 2)
    rule: dict[str, Any] = {"id": name, "after": after, "expect": expect}
    if chance.random() < 0.3:
        rule["keep_after_end"] = True
    if chance.random() < 0.25:
        rule |= {"by": f"{chance.randrange(24):02}:{chance.randrange(60):02}", "days": chance.choice([0, 0, 1])}
        if chance.random() < 0.5:
            rule["calendar"] = "office"
        if chance.random() < 0.4:
            rule["warn"] = "20m"
    else:
        rule["within"] = f"{chance.randint(5, 90)}m"
        rule |= _more_of_a_span(chance)
    rule["anchor"] = chance.choice(["first", "first", "last", "each"])
    return rule


def _more_of_a_span(chance: random.Random) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if chance.random() < 0.3:
        more["calendar"] = "office"
    if chance.random() < 0.4:
        more["warn"] = "60%"
    if chance.random() < 0.3:
        more["not_before"] = "90s"
    if chance.random() < 0.3:
        more["tiers"] = [{"within": "250%", "severity": "critical"}]
    if chance.random() < 0.3:
        more["overrides"] = [{"when": {"market": "X"}, "within": f"{chance.randint(91, 200)}m"}]
    return more


def write_pack(folder: Path, workflows: list[dict[str, Any]]) -> Path:
    """JSON is YAML."""
    folder.mkdir()
    (folder / "workflow.yaml").write_text("\n---\n".join(json.dumps(one) for one in workflows))
    (folder / "mapping.yaml").write_text(MAPPING)
    return folder


def traffic(chance: random.Random, workflows: list[dict[str, Any]], items: int) -> list[dict[str, Any]]:
    """Events of so many items a workflow, some of them more than once, as they happen. No two of an item happen at the
    same instant: those count in the order of their arrival, which partitions don't keep."""
    events: list[dict[str, Any]] = []
    for definition in workflows:
        for number in range(items):
            events += _story(chance, definition, f"{definition['workflow']}-{number}")
    return sorted(events, key=lambda event: event["at"])


def _story(chance: random.Random, definition: dict[str, Any], item: str) -> list[dict[str, Any]]:
    steps = list(definition["steps"])
    length = chance.randint(1, 8)
    begin = chance.randrange(HOURS * 3600 * SECOND)
    times = sorted(chance.sample(range(begin, begin + chance.choice([600, 7200]) * SECOND), length))
    usual = chance.random() < 0.6
    story = []
    for n, at in enumerate(times):
        step = steps[n % len(steps)] if usual else chance.choice(steps)
        event = {"id": f"{item}-{n}", "what": definition["steps"][step]["on"], "at": NOON + at, "item": item}
        if chance.random() < 0.5:
            event["market"] = chance.choice("XY")
        story.append(event)
    if chance.random() < 0.2:
        story.append(chance.choice(story))
    return story


def as_sent(chance: random.Random, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events as they arrive, up to `DISORDER` after they happened. Copies keep their order by being alike."""
    return sorted(events, key=lambda event: event["at"] + chance.randrange(DISORDER))
