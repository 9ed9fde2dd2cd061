"""A cursor that nobody was given, but that looks like one, is the request's fault and never the server's."""

from __future__ import annotations

import itertools

import pytest
from starlette.testclient import TestClient

from api.paging import FAR, encode
from tests.api.access.conftest import signed_in

LISTS: dict[str, tuple[int | str, ...]] = {
    "/api/v1/audit": (1,),
    "/audit": (1,),
    "/api/v1/events": (1, "a", "b", "c"),
    "/events": (1, "a", "b"),
    "/api/v1/items": (1, "a", "b", "c", 1),
    "/items": (1, "a", "b", "c", 1),
    "/api/v1/findings": (1, "a", "b"),
    "/api/v1/dead-letters": (1, "a", 1, 1),
    "/dead-letters": (1, "a", 1, 1),
    "/api/v1/alerts": (1, "a"),
    "/alerts": (1, "a"),
    "/api/v1/incidents": (1, "a"),
    "/incidents": (1, "a"),
    "/api/v1/deliveries": (1, "a", 1),
    "/api/v1/anomalies": (1, "a", "b", "c", "d"),
}
FOREIGN = (2**63, 2**64 - 1, -(2**63), "a\0b")
FAR_OFF = (FAR, -FAR, 2**40, -1)


@pytest.fixture
def root(guarded: TestClient) -> TestClient:
    return signed_in(guarded, "root", "admin")


def swapped(place: tuple[int | str, ...], other: int | str) -> str:
    """The cursor of a place, in which all parts of the other's kind are that one."""
    return encode([other if type(part) is type(other) else part for part in place])


def test_what_no_store_can_hold_is_no_cursor(root: TestClient) -> None:
    for (path, place), other in itertools.product(LISTS.items(), FOREIGN):
        if any(type(part) is type(other) for part in place):
            answer = root.get(path, params={"cursor": swapped(place, other)})
            assert (answer.status_code, answer.json()["title"]) == (400, "Invalid cursor"), (path, other)


def test_a_place_that_is_far_off_has_nothing_behind_it_or_all(root: TestClient) -> None:
    for (path, place), other in itertools.product(LISTS.items(), FAR_OFF):
        answer = root.get(path, params={"cursor": swapped(place, other)})
        assert answer.status_code < 500, (path, other, answer.text)
