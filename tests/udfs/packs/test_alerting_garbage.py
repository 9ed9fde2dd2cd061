"""Whatever stands in a document, the job goes on, and whoever checks it is told in sentences."""

from __future__ import annotations

import copy
import pickle
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.packs.test_alerting_documents import EXAMPLE
from udfs.packs.alertcheck import check_document, check_removal
from udfs.packs.alertcompile import read_policy

WORDS = [
    "",
    "anna",
    "none",
    "0",
    "5m",
    "1w",
    "09:00-17:00",
    "2026-03-02",
    "2026-02-30",
    "a = b",
    "a =~ (",
    "\ud800",
    "é",
]
LEAVES = st.one_of(st.sampled_from(WORDS), st.integers(-(10**20), 10**20), st.none(), st.booleans(), st.floats())
GARBAGE = st.one_of(LEAVES, st.lists(LEAVES, max_size=2), st.dictionaries(st.sampled_from(WORDS), LEAVES, max_size=2))
NOW = 1_772_442_000_000


def places(part: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to all parts of plain data, itself included."""
    inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    return [above, *[place for name, one in inner for place in places(one, (*above, name))]]


def with_one(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    """A copy with something else in one place."""
    if not place:
        return value
    found = copy.deepcopy(document)
    part = found
    for name in place[:-1]:
        part = part[name]
    part[place[-1]] = value
    return found


@given(st.sampled_from(sorted(EXAMPLE)), GARBAGE, st.data())
@settings(deadline=None, max_examples=60)
def test_garbage_in_a_document_stops_neither_the_job_nor_the_check(key: str, garbage: Any, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(places(EXAMPLE[key])))
    body = with_one(EXAMPLE[key], place, garbage)
    kind, _, name = key.partition("/")
    assert all(problem.message for problem in check_document(kind, name, body, EXAMPLE))
    documents = EXAMPLE | {key: body}
    check_removal("person", "anna", documents)
    policy, _ = read_policy(documents)
    labels = {"workflow": "financial_planning", "severity": "critical"}
    for route in policy.route(labels):
        for step in range(3):
            policy.step_due(route.escalation, step, NOW)
            policy.recipients(route.escalation, step, NOW)
    policy.muted(labels, NOW)
    policy.next_change(NOW)
    assert pickle.loads(pickle.dumps(policy)) == policy  # noqa: S301
