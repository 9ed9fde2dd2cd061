"""What somebody may do is a matter of role, scopes and limits, and nothing widens it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.access import lockout, origin
from api.access.roles import ACTIONS, EVERYTHING, ROLES, Limits, Permissions, Subject, of_role, of_token

NAMES = st.sampled_from(["a", "b", "c"])
LIMITS = st.builds(
    Limits, st.none() | st.frozensets(NAMES), st.dictionaries(st.sampled_from(["market", "book"]), st.frozensets(NAMES))
)
SUBJECTS = st.builds(Subject, NAMES, st.dictionaries(st.sampled_from(["market", "book"]), NAMES))
ACTION = st.sampled_from(sorted(ACTIONS))
PEOPLE = st.builds(of_role, st.sampled_from(list(ROLES)), LIMITS)


def test_each_role_may_do_all_that_the_one_before_it_may() -> None:
    roles = list(ROLES.values())
    assert all(less < more for less, more in pairwise(roles))
    assert of_role("king", Limits()).actions == frozenset()


@given(LIMITS, LIMITS, SUBJECTS)
def test_narrowed_limits_allow_what_both_allow(one: Limits, other: Limits, subject: Subject) -> None:
    assert one.narrowed(other).allow(subject) == (one.allow(subject) and other.allow(subject))


@given(LIMITS)
def test_limits_come_back_from_json_as_they_were(limits: Limits) -> None:
    assert Limits.of(limits.as_json()) == limits


@given(PEOPLE, st.frozensets(ACTION), LIMITS, ACTION, SUBJECTS)
def test_a_token_never_may_what_its_owner_may_not(
    owner: Permissions, scopes: frozenset[str], limits: Limits, action: str, subject: Subject
) -> None:
    token = of_token(scopes, limits, owner)
    assert not token.may("self")
    assert owner.may(action, subject) or not token.may(action, subject)
    assert owner.may(action) or not token.may(action)
    assert action in scopes or not token.may(action, subject)


def test_who_has_limits_reads_but_writes_only_what_is_surely_inside() -> None:
    eu = of_role("editor", Limits(frozenset({"trade"}), {"market": frozenset({"EU"})}))
    assert eu.may("read")
    assert not eu.may("rules")
    assert not eu.may("rules", Subject("trade"))  # a rule is for all markets
    assert not eu.may("act", Subject("trade", {"market": "US"}))
    assert eu.may("act", Subject("trade", {"market": "EU"}))
    trade = of_role("editor", Limits(frozenset({"trade"})))
    assert trade.may("rules", Subject("trade"))
    assert not trade.may("rules", Subject("payment"))
    assert EVERYTHING.may("erase")


@pytest.mark.parametrize(
    ("failures", "wait_ms"), [(4, 0), (5, 1000), (6, 2000), (14, 512_000), (15, 900_000), (99, 900_000)]
)
def test_each_failure_beyond_the_fifth_doubles_the_wait_up_to_15_minutes(failures: int, wait_ms: int) -> None:
    assert lockout.until("user", failures, 1000) == 1000 + wait_ms


def test_an_hour_without_a_failure_is_forgotten() -> None:
    assert lockout.counted(9, 0, lockout.FORGOTTEN_MS - 1) == 10
    assert lockout.counted(9, 0, lockout.FORGOTTEN_MS) == 1


@pytest.mark.parametrize(
    ("method", "headers", "cookie", "foreign"),
    [
        ("GET", {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}, True, False),
        ("POST", {"origin": "http://us:1"}, True, False),
        ("POST", {"origin": "http://us:1", "sec-fetch-site": "same-origin"}, True, False),
        ("POST", {"sec-fetch-site": "none"}, True, False),
        ("POST", {}, False, False),
        ("POST", {}, True, True),
        ("POST", {"origin": "null"}, True, True),
        ("POST", {"origin": "http://us:2"}, False, True),
        ("POST", {"origin": "https://us:1"}, True, True),
        ("DELETE", {"sec-fetch-site": "same-site"}, True, True),
        ("PUT", {"origin": "http://us:1", "sec-fetch-site": "cross-site"}, False, True),
    ],
)
def test_a_write_counts_from_our_own_pages_only(
    method: str, headers: dict[str, str], cookie: bool, foreign: bool
) -> None:
    assert origin.foreign(method, headers, ("http://us:1", ""), cookie=cookie) is foreign
