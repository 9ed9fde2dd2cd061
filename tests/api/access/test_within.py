"""A silence of somebody with limits can hide nothing but what is theirs, whatever its matchers say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.access.roles import Limits, Subject
from api.access.within import Beyond, inside, narrowed
from tests.effort import examples
from udfs.alerting.matchers import all_fit, labels_of
from udfs.packs.alertmatch import parse_matchers

ACME = Limits(None, {"customer": frozenset({"acme"})})
BOTH = 'customer in ["a \\"b\\", c", "acme"]'
TWO = Limits(frozenset({"orders", "returns"}), {"customer": frozenset({"acme", 'a "b", c'})})


@pytest.mark.parametrize(
    ("limits", "match", "kept"),
    [
        (ACME, ["rule = reply"], ["rule = reply", 'customer = "acme"']),
        (ACME, ["customer = acme", "rule = reply"], ["customer = acme", "rule = reply"]),
        (ACME, 'customer in [acme, "acme"]', ['customer in [acme, "acme"]']),
        (ACME, ["customer in [acme, zorg]", "customer = acme"], None),
        (ACME, ["customer =~ a.*"], ["customer =~ a.*", 'customer = "acme"']),
        (ACME, ["customer != zorg"], ["customer != zorg", 'customer = "acme"']),
        (TWO, ["workflow = orders"], ["workflow = orders", BOTH]),
        (TWO, ["lane = main"], ["lane = main", 'workflow in ["orders", "returns"]', BOTH]),
        (TWO, ["workflow =~ re.*", "customer = acme"], ["workflow =~ re.*", "customer = acme", 'workflow = "returns"']),
    ],
)
def test_what_is_not_said_is_added(limits: Limits, match: Any, kept: list[str] | None) -> None:
    found = narrowed(match, limits)
    assert found == (kept or match)
    assert narrowed(found, limits) == found, "once is enough"
    assert inside(found, limits)


@pytest.mark.parametrize(
    ("limits", "match", "why"),
    [
        (ACME, ["customer = zorg"], "Nothing that fits these matchers is within your limits"),
        (ACME, ["customer in [acme, zorg]"], "beyond your limits, by `customer` 'zorg'"),
        (ACME, ["customer != acme"], "Nothing that fits"),
        (ACME, ["customer =~ zorg.*"], "Nothing that fits"),
        (ACME, ['customer = ""'], "Nothing that fits"),
        (ACME, ['customer in [acme, ""]'], "beyond your limits"),
        (TWO, ["workflow in [orders, trades]"], "by `workflow` 'trades'"),
        (Limits(frozenset()), ["rule = reply"], "Nothing that fits"),
        (Limits(None, {"key": frozenset({"K-1"})}), ["key = K-1"], "no matcher can name"),
        (Limits(None, {"customer": frozenset({""})}), ["rule = reply"], "Nothing that fits"),
    ],
)
def test_what_reaches_beyond_is_refused_with_the_reason(limits: Limits, match: list[str], why: str) -> None:
    with pytest.raises(Beyond, match=why):
        narrowed(match, limits)
    assert not inside(match, limits)


def test_what_is_wider_than_the_limits_is_not_inside_of_them() -> None:
    assert not inside(["rule = reply"], ACME)
    assert not inside(["no matcher"], ACME)
    assert inside(["rule = reply"], Limits())


VALUES = st.sampled_from(["acme", "zorg", "", "a, b", 'q"'])
NAMES = st.sampled_from(["customer", "market", "workflow", "key", "rule"])
TEXTS = st.builds(
    lambda name, sign, value, other: {
        "=": f"{name} = {_quoted(value)}",
        "!=": f"{name} != {_quoted(value)}",
        "in": f"{name} in [{_quoted(value)}, {_quoted(other)}]",
        "not in": f"{name} not in [{_quoted(value)}, {_quoted(other)}]",
        "=~": f"{name} =~ a.*",
        "!~": f"{name} !~ z.*",
    }[sign],
    NAMES,
    st.sampled_from(["=", "!=", "in", "not in", "=~", "!~"]),
    VALUES,
    VALUES,
)
SOME = st.frozensets(VALUES, max_size=3)
LIMITS = st.builds(
    Limits, st.none() | SOME, st.dictionaries(st.sampled_from(["customer", "market", "key"]), SOME, max_size=2)
)
ALERTS = st.builds(
    lambda workflow, groups: {"workflow": workflow, "groups": groups, "key": "zorg", "rule": "acme"},
    VALUES,
    st.dictionaries(st.sampled_from(["customer", "market", "key"]), VALUES),
)


def _quoted(value: str) -> str:
    return '"' + value.replace('"', '\\"') + '"'


@settings(max_examples=examples(300), deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4), LIMITS, st.lists(ALERTS, max_size=8))
def test_whatever_is_asked_for_no_alert_outside_of_the_limits_is_hidden(
    match: list[str], limits: Limits, alerts: list[dict[str, Any]]
) -> None:
    try:
        matchers = parse_matchers(narrowed(match, limits))
    except Beyond:
        return
    for alert in alerts:
        if all_fit(matchers, labels_of(alert)):
            assert limits.allow(Subject(alert["workflow"], alert["groups"]))
            assert all_fit(parse_matchers(match), labels_of(alert)), "nor anything that wasn't asked for"
