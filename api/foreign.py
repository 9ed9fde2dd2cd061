"""Alerts of others, as Prometheus and amtool send them to an Alertmanager, as findings. Pure; instants are epoch ms.

Their labels become an alert's: `alertname` its rule, `severity` its severity, all others its groups; a name that is
ours already becomes `exported_…`. What tells two of one name apart is all their labels, `severity` too: as with an
Alertmanager, a warning and a critical alert of one name are two.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from api.access.roles import Limits, Subject
from udfs.alerting.external import external
from udfs.alerting.matchers import LABELS
from udfs.alerting.reported import SEVERITIES
from udfs.core.ids import digest

RESOLVE_MS = 5 * 60_000
"""An alert without an end that isn't sent again is over after so long, as with an Alertmanager."""

LONGEST_KEY = 200
NAME_ENDS, VALUE_ENDS = ',="', ',"'
LONGEST = 1_000
WORDS = {"page": "critical", "error": "high", "major": "high", "warning": "medium", "minor": "low", "info": "low"}
USUAL = "medium"

Row = dict[str, Any]


def finding(
    labels: Mapping[str, str], annotations: Mapping[str, str], begin: int | None, end: int | None, lane: str, now: int
) -> Row:
    """The row of `daymark.findings` for one alert that was sent at `now`; it is over if `end` is. Raises ValueError
    with a sentence for one without a name."""
    known = {name: value for name, value in labels.items() if value}
    rule = known.pop("alertname", "")
    if not rule:
        raise ValueError("an alert needs the label `alertname`")
    key = _key(known)
    word = known.get("severity", "").lower()
    if word in SEVERITIES or word in WORDS:
        del known["severity"]
    begin = now if begin is None else begin
    is_over = end is not None and end <= now
    said = annotations.get("summary") or annotations.get("description") or annotations.get("message") or ""
    return external(
        lane,
        rule[:LONGEST],
        key,
        word if word in SEVERITIES else WORDS.get(word, USUAL),
        said[:LONGEST],
        groups={f"exported_{name}" if name in LABELS else name: value[:LONGEST] for name, value in known.items()},
        begin=begin,
        now=now,
        until=None if is_over else end or now + RESOLVE_MS,
        over=end if is_over else None,
        runbook=annotations.get("runbook_url", "")[:LONGEST],
    )


def beyond(rows: Sequence[Row], limits: Limits) -> str:
    """Which of some findings is outside of limits, in a sentence; '' if none is."""
    for row in rows:
        if not limits.allow(Subject(row["workflow"], row["groups"])):
            wanted = [f"`{name}` in {', '.join(sorted(values))}" for name, values in sorted(limits.groups.items())]
            needed = f"needs {' and '.join(wanted)}" if limits.workflows is None else "belongs to no workflow"
            return f"The alert {row['rule']!r} ({row['key']}) is outside of your limits: it {needed}. None was taken."
    return ""


def _key(labels: Mapping[str, str]) -> str:
    """All labels in one text, another one for other labels, which a digest cuts short where it is too long."""
    text = ", ".join(f"{_plain(name, NAME_ENDS)}={_plain(labels[name], VALUE_ENDS)}" for name in sorted(labels))
    return text if len(text) <= LONGEST_KEY else f"{text[: LONGEST_KEY - 33]} {digest(text)}"


def _plain(text: str, ends: str) -> str:
    """A name or value as it is, in quotes if it has a sign in it that could be taken for its end."""
    return json.dumps(text, ensure_ascii=False) if any(sign in text for sign in ends) else text
