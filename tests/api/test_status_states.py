"""How a component stands, and that many watchers cost one look."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from api.levels import Tally
from api.status.badge import badge
from api.status.cache import PATIENT, Cache
from api.status.page import NOTHING, load_page
from api.status.states import Standing, now, on_day, percent, worst
from udfs.packs.problems import PackError


@pytest.mark.parametrize(
    ("standing", "state"),
    [
        (Standing("live", in_flight=9), "operational"),
        (Standing("live", in_flight=9, late=1), "degraded"),
        (Standing("live", in_flight=9, late=4), "degraded"),
        (Standing("live", in_flight=8, late=4), "outage"),
        (Standing("live", in_flight=2, late=2), "degraded"),
        (Standing("live", broken=1), "degraded"),
        (Standing("behind"), "degraded"),
        (Standing("blind"), "unknown"),
        (Standing("ended"), "unknown"),
        (Standing("live", known=False), "unknown"),
        (Standing("live", silent=True), "unknown"),
        (Standing("live", silent=True, in_flight=9, late=1), "degraded"),
        (Standing("blind", in_flight=9, late=9), "unknown"),
    ],
)
def test_a_workflow_stands_as_far_as_is_known(standing: Standing, state: str) -> None:
    assert now(standing, 0.5) == state


@pytest.mark.parametrize(
    ("tally", "blind", "state"),
    [
        (Tally(9, 0), False, "operational"),
        (Tally(9, 0), True, "unknown"),
        (Tally(0, 0), False, "unknown"),
        (Tally(0, 0, 5), False, "unknown"),
        (Tally(9, 1), True, "degraded"),
        (Tally(4, 3), False, "degraded"),
        (Tally(3, 3), False, "outage"),
        (Tally(0, 2), False, "degraded"),
    ],
)
def test_a_day_was_as_what_was_due_on_it(tally: Tally, blind: bool, state: str) -> None:
    assert on_day(tally, 0.5, blind=blind) == state


def test_the_worst_is_said_and_of_nothing_nothing_is_known() -> None:
    assert worst(["operational", "unknown"]) == "unknown"
    assert worst(["unknown", "degraded", "operational"]) == "degraded"
    assert worst([]) == "unknown"


def test_what_is_not_all_is_never_a_hundred_percent() -> None:
    assert [percent(share) for share in (None, 1.0, 0.999999, 0.5)] == [None, 100.0, 99.99, 50.0]


def test_an_answer_is_made_again_when_its_time_is_over() -> None:
    clock, made = [0.0], []
    cache = Cache(lambda: clock[0])

    def make() -> int:
        made.append(1)
        return len(made)

    seen = []
    for clock[0] in (0.0, 4.9, 5.0, 5.1):
        seen.append(cache.get("x", 5, make))
    assert seen == [1, 1, 2, 2]


def test_fifty_at_once_cost_one_look() -> None:
    cache, made, gate = Cache(), [], threading.Event()

    def make() -> int:
        made.append(1)
        gate.wait(5)
        return 7

    got: list[int] = []
    watchers = [threading.Thread(target=lambda: got.append(cache.get("x", 60, make))) for _ in range(50)]
    for one in watchers:
        one.start()
    gate.set()
    for one in watchers:
        one.join(10)
    assert (got, len(made)) == ([7] * 50, 1)


@pytest.mark.parametrize(("age", "waits"), [(PATIENT * 5 - 1, False), (PATIENT * 5, True)])
def test_while_a_new_answer_is_made_others_get_the_one_before_unless_it_is_too_old(age: float, waits: bool) -> None:
    clock, begun, gate = [0.0], threading.Event(), threading.Event()
    cache = Cache(lambda: clock[0])
    cache.get("x", 5, lambda: "old")
    clock[0] = age

    def make() -> str:
        begun.set()
        gate.wait(5)
        return "new"

    first = threading.Thread(target=lambda: cache.get("x", 5, make))
    first.start()
    assert begun.wait(5)
    got: list[str] = []
    second = threading.Thread(target=lambda: got.append(cache.get("x", 5, make)))
    second.start()
    second.join(0.2 if waits else 5)
    assert got == ([] if waits else ["old"])
    gate.set()
    first.join(5)
    second.join(5)
    assert got == (["new"] if waits else ["old"])


def test_what_fails_is_not_kept() -> None:
    cache = Cache()

    def fail() -> None:
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011
        cache.get("x", 60, fail)
    assert cache.get("x", 60, lambda: 1) == 1


def test_a_badge_is_text_whatever_its_label() -> None:
    image = badge('<script>"&', "degraded", "#945300")
    assert "<script>" not in image
    assert "&lt;script&gt;&quot;&amp;: degraded" in image


def test_a_page_that_makes_no_sense_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "status.yaml"
    file.write_text("components:\n  a: {name: A, workflow: [w]}\n  b: {name: B, workflows: []}\n")
    with pytest.raises(PackError) as refused:
        load_page(file)
    assert f"{file}:2" in str(refused.value)
    assert "workflow" in str(refused.value)
    with pytest.raises(PackError):
        load_page(tmp_path / "none.yaml")
    assert load_page(None) is NOTHING
