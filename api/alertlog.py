"""What became of alerts, in words: which other alert explains one is said to whoever may see that other one, and what
was noted about its incident to whoever may see that."""

from __future__ import annotations

from typing import Any

from api.store import Store
from udfs.alerting.wording import EXPLAINED

ANOTHER = "explained by another alert"
"""What is said of a cause that the reader doesn't see."""

NOTED = "about an incident that others' alerts belong to as well"
"""What is said of a note that the reader doesn't see."""

FORMER = "explained: "
"""How Daymark began the reason once, with the cause in words: whoever reads it may not see that."""


def log_of(store: Store, ids: list[str], limit: int) -> list[dict[str, Any]]:
    """The entries of the logs of some alerts, in order; the latest, where there are more than `limit`."""
    return in_words(store, store.query("alerts/log", ids=ids, limit=limit))


def in_words(store: Store, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Entries of logs with what explains an alert in words, instead of its id."""
    hidden = [row for row in rows if row["what"] == "suppressed" and row["why"].startswith((EXPLAINED, FORMER))]
    hidden = [row for row in hidden if not row["who"]]  # what people wrote is theirs
    causes = sorted({row["why"].removeprefix(EXPLAINED) for row in hidden if row["why"].startswith(EXPLAINED)})
    seen = {row["id"]: row["summary"] for row in store.query("alerts/some", ids=causes)} if causes else {}
    for row in hidden:
        summary = seen.get(row["why"].removeprefix(EXPLAINED))
        row["why"] = ANOTHER if summary is None else f"explained by: {summary}"
    noted = [row for row in rows if row["what"] == "noted"]
    hidden_from = {id for id in {row["incident"] for row in noted} if not store.query("incidents/one", id=id)}
    for row in noted:
        row["why"] = NOTED if row["incident"] in hidden_from else row["why"]
    return rows
