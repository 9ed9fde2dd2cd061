"""Acknowledge links: what was signed is what is read, until it expires."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.alerting.links import Link, LinkError, action_id, read, sign, url
from udfs.linksecret import LinkSecretError, link_secret

SECRET = "a secret that is long enough to be one"
EXPIRES = 1_700_000_000_000
LINK = Link("ack", {"f" * 32: 2}, "anna", EXPIRES)


@pytest.mark.parametrize("now", [0, EXPIRES - 1])
def test_a_token_allows_what_was_signed_until_it_expires(now: int) -> None:
    assert read(sign(LINK, SECRET), SECRET, now) == LINK


@pytest.mark.parametrize("now", [EXPIRES, EXPIRES + 1])
def test_from_the_instant_at_which_it_expires_a_token_allows_nothing(now: int) -> None:
    with pytest.raises(LinkError, match="has expired") as caught:
        read(sign(LINK, SECRET), SECRET, now)
    assert caught.value.expired


@given(st.text(max_size=60))
def test_text_that_was_not_signed_is_no_token(text: str) -> None:
    with pytest.raises(LinkError, match="not valid"):
        read(text, SECRET, 0)


@given(st.data())
def test_a_token_of_which_one_character_was_changed_is_not_valid(data: st.DataObject) -> None:
    token = sign(LINK, SECRET)
    place = data.draw(st.integers(0, len(token) - 2))  # the very last one carries padding bits
    other = data.draw(st.sampled_from("abcXYZ019-_.").filter(lambda one: one != token[place]))
    with pytest.raises(LinkError, match="not valid"):
        read(token[:place] + other + token[place + 1 :], SECRET, 0)


def test_a_token_of_another_secret_is_not_valid() -> None:
    with pytest.raises(LinkError, match="not valid"):
        read(sign(LINK, SECRET), SECRET + "!", 0)


def test_a_link_may_name_a_message_about_more_alerts_than_an_address_holds() -> None:
    link = Link("ack", {}, "anna", EXPIRES, "m" * 32, 1_600_000_000_000)
    assert read(sign(link, SECRET), SECRET, 0) == link
    assert len(url("https://daymark.example/", link, SECRET)) < 250


def test_each_click_on_a_link_is_the_same_action() -> None:
    assert action_id(sign(LINK, SECRET)) == action_id(sign(LINK, SECRET))
    assert action_id(sign(LINK, SECRET)) != action_id(sign(Link("ack", {"f" * 32: 3}, "anna", EXPIRES), SECRET))


def test_a_link_for_twenty_alerts_fits_into_an_address() -> None:
    many = Link("ack", {f"{n:032x}": 1 for n in range(20)}, "anna", EXPIRES)
    assert len(url("https://daymark.example/", many, SECRET)) < 1500
    assert url("https://daymark.example/", LINK, SECRET).startswith("https://daymark.example/ack/")


def test_the_secret_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: link_secret(home, {}), range(16)))
    assert len(made) == 1
    assert stat.S_IMODE((home / "link.secret").stat().st_mode) == 0o600
    assert [file.name for file in home.iterdir()] == ["link.secret"]


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    assert link_secret(tmp_path, {"DAYMARK_LINK_SECRET": SECRET}) == SECRET
    assert not list(tmp_path.iterdir())


def test_a_secret_that_could_be_guessed_is_refused_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(LinkSecretError, match="has 5 characters") as caught:
        link_secret(tmp_path, {"DAYMARK_LINK_SECRET": "abcde"})
    assert "abcde" not in str(caught.value)
