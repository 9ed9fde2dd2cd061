"""What is stored of alerts, byte for byte: an upgrade that reads it otherwise, or writes it otherwise, is seen here.

A change that adds fields at the end leaves these bytes readable: they are what this format was when it was frozen.
Don't edit them; add what the new Daymark writes beside them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.udfs.alerting.build import alerts
from udfs.alerting import alert, records
from udfs.alerting.alert import FORMAT, Alert, Track
from udfs.alerting.desk import Desk
from udfs.alerting.graph import NOTHING
from udfs.alerting.policy import EMPTY, Recipient
from udfs.alerting.records import Answer, Group, Incident, Page, Purse, Waiting

ANNA = Recipient("mail", "anna", "anna@example.org")
NOW = 1_700_000_000_000

WHOLE: dict[str, Any] = {
    "track": Track("main", "desk", "page", "g1", since=1, step=2, due=None, lanes=["escalated/1"], told=[ANNA]),
    "alert": Alert(
        FORMAT, "a1", "main", "trades", "reply", "missing", "high", "low", "T-1", {"market": "X"}, "reply", "send", "0",
        "2026-03-02", "f1", "reply.md", NOW, NOW - 1, 2.5, "suppressed", 1, 2, 3, NOW + 1, NOW + 2, NOW + 3, NOW + 4,
        -5, "ben", "anna", NOW + 5, NOW + 6, "mute", "silence s", NOW + 7, "a0", True, True, "i1", NOW + 8, NOW + 9,
        NOW + 10, NOW + 11, 12, 13, NOW + 14, ["s1", "s2"],
        [Track("main", "desk", "page", "g1", NOW, 1, NOW + 15, ["opened/0"], [ANNA])], ["l1"], ["p1"],
        NOW + 16, NOW + 17, NOW + 18,
    ),
    "group": Group(
        FORMAT, "g1", "main", {"rule": "reply"}, 1, 2, 3, {"opened/0": NOW}, {"update/0": NOW + 1}, NOW, 4,
        {"update/0": 12},
    ),
    "incident": Incident(
        FORMAT, "i1", "main", "a1", "x", "a1", NOW, NOW + 1, "high", "trades reply", ["because"], "resolved", NOW + 2,
        3, 2, {"market": ["X"]}, 7.5, "note", NOW + 3, True, NOW + 4, 5,
    ),
    "purse": Purse(FORMAT, "l1", "mail", "anna", "anna@example.org", 9.5, NOW, NOW + 1),
    "page": Page(FORMAT, "p1", "pager", "anna", "+31", "g1", "opened"),
    "answer": Answer(FORMAT, "x1", 7, {"type": "applied", "action": "x1", "alerts": [{"id": "a1"}], "at_ms": NOW}),
    "waiting": Waiting(FORMAT, "w1", 1, {"id": "w1", "kind": "ack", "alerts": ["a1"], "until_ms": None}, {"a1": ""}),
}  # fmt: skip
"""Each with all of its fields."""

STORED = {
    "track": (
        "99a46d61696ea46465736ba470616765a267310102c091ab657363616c617465642f319193a46d61696ca4616e6e61b0616e"
        "6e61406578616d706c652e6f7267"
    ),
    "alert": (
        "dc003501a26131a46d61696ea6747261646573a57265706c79a76d697373696e67a468696768a36c6f77a3542d3181a66d61"
        "726b6574a158a57265706c79a473656e64a130aa323032362d30332d3032a26631a87265706c792e6d64cf0000018bcfe568"
        "00cf0000018bcfe567ffcb4004000000000000aa73757070726573736564010203cf0000018bcfe56801cf0000018bcfe568"
        "02cf0000018bcfe56803cf0000018bcfe56804fba362656ea4616e6e61cf0000018bcfe56805cf0000018bcfe56806a46d75"
        "7465a973696c656e63652073cf0000018bcfe56807a26130c3c3a26931cf0000018bcfe56808cf0000018bcfe56809cf0000"
        "018bcfe5680acf0000018bcfe5680b0c0dcf0000018bcfe5680e92a27331a273329199a46d61696ea46465736ba470616765"
        "a26731cf0000018bcfe5680001cf0000018bcfe5680f91a86f70656e65642f309193a46d61696ca4616e6e61b0616e6e6140"
        "6578616d706c652e6f726791a26c3191a27031cf0000018bcfe56810cf0000018bcfe56811cf0000018bcfe56812"
    ),
    "group": (
        "9c01a26731a46d61696e81a472756c65a57265706c7901020381a86f70656e65642f30cf0000018bcfe5680081a875706461"
        "74652f30cf0000018bcfe56801cf0000018bcfe568000481a87570646174652f300c"
    ),
    "incident": (
        "dc001601a26931a46d61696ea26131a178a26131cf0000018bcfe56800cf0000018bcfe56801a468696768ac747261646573"
        "207265706c7991a762656361757365a87265736f6c766564cf0000018bcfe56802030281a66d61726b657491a158cb401e00"
        "0000000000a46e6f7465cf0000018bcfe56803c3cf0000018bcfe5680405"
    ),
    "purse": (
        "9801a26c31a46d61696ca4616e6e61b0616e6e61406578616d706c652e6f7267cb4023000000000000cf0000018bcfe56800"
        "cf0000018bcfe56801"
    ),
    "page": ("9701a27031a57061676572a4616e6e61a32b3331a26731a66f70656e6564"),
    "answer": (
        "9401a278310784a474797065a76170706c696564a6616374696f6ea27831a6616c657274739181a26964a26131a561745f6d"
        "73cf0000018bcfe56800"
    ),
    "waiting": "9501a277310184a26964a27731a46b696e64a361636ba6616c6572747391a26131a8756e74696c5f6d73c081a26131a0",
}

EARLIER = {
    "waiting without what was done so far": (
        "9401a277310184a26964a27731a46b696e64a361636ba6616c6572747391a26131a8756e74696c5f6d73c0"
    ),
    "alert that nobody is spared": (
        "dc003401a26131a46d61696ea6747261646573a57265706c79a76d697373696e67a468696768a36c6f77a3542d3181a66d61"
        "726b6574a158a57265706c79a473656e64a130aa323032362d30332d3032a26631a87265706c792e6d64cf0000018bcfe568"
        "00cf0000018bcfe567ffcb4004000000000000aa73757070726573736564010203cf0000018bcfe56801cf0000018bcfe568"
        "02cf0000018bcfe56803cf0000018bcfe56804fba362656ea4616e6e61cf0000018bcfe56805cf0000018bcfe56806a46d75"
        "7465a973696c656e63652073cf0000018bcfe56807a26130c3c3a26931cf0000018bcfe56808cf0000018bcfe56809cf0000"
        "018bcfe5680acf0000018bcfe5680b0c0dcf0000018bcfe5680e92a27331a273329199a46d61696ea46465736ba470616765"
        "a26731cf0000018bcfe5680001cf0000018bcfe5680f91a86f70656e65642f309193a46d61696ca4616e6e61b0616e6e6140"
        "6578616d706c652e6f726791a26c3191a27031cf0000018bcfe56810cf0000018bcfe56811"
    ),
    "group without the worst": (
        "9b01a26731a46d61696e81a472756c65a57265706c7901020381a86f70656e65642f30cf0000018bcfe5680081a875706461"
        "74652f30cf0000018bcfe56801cf0000018bcfe5680004"
    ),
    "alert without a response": (
        "dc003201a26131a46d61696ea6747261646573a57265706c79a76d697373696e67a468696768a36c6f77a3542d3181a66d61"
        "726b6574a158a57265706c79a473656e64a130aa323032362d30332d3032a26631a87265706c792e6d64cf0000018bcfe568"
        "00cf0000018bcfe567ffcb4004000000000000aa73757070726573736564010203cf0000018bcfe56801cf0000018bcfe568"
        "02cf0000018bcfe56803cf0000018bcfe56804fba362656ea4616e6e61cf0000018bcfe56805cf0000018bcfe56806a46d75"
        "7465a973696c656e63652073cf0000018bcfe56807a26130c3c3a26931cf0000018bcfe56808cf0000018bcfe56809cf0000"
        "018bcfe5680acf0000018bcfe5680b0c0dcf0000018bcfe5680e92a27331a273329199a46d61696ea46465736ba470616765"
        "a26731cf0000018bcfe5680001cf0000018bcfe5680f91a86f70656e65642f309193a46d61696ca4616e6e61b0616e6e6140"
        "6578616d706c652e6f726791a26c3191a27031"
    ),
    "alert without pages": (
        "dc003101a26131a46d61696ea6747261646573a57265706c79a76d697373696e67a468696768a36c6f77a3542d3181a66d61"
        "726b6574a158a57265706c79a473656e64a130aa323032362d30332d3032a26631a87265706c792e6d64cf0000018bcfe568"
        "00cf0000018bcfe567ffcb4004000000000000aa73757070726573736564010203cf0000018bcfe56801cf0000018bcfe568"
        "02cf0000018bcfe56803cf0000018bcfe56804fba362656ea4616e6e61cf0000018bcfe56805cf0000018bcfe56806a46d75"
        "7465a973696c656e63652073cf0000018bcfe56807a26130c3c3a26931cf0000018bcfe56808cf0000018bcfe56809cf0000"
        "018bcfe5680acf0000018bcfe5680b0c0dcf0000018bcfe5680e92a27331a273329199a46d61696ea46465736ba470616765"
        "a26731cf0000018bcfe5680001cf0000018bcfe5680f91a86f70656e65642f309193a46d61696ca4616e6e61b0616e6e6140"
        "6578616d706c652e6f726791a26c31"
    ),
}
"""What an earlier Daymark stored: fields are lacking at the end."""

READ: dict[str, Callable[[bytes], Any]] = {
    "track": lambda stored: msgspec.msgpack.decode(stored, type=Track),
    "alert": alert.decode,
    "group": lambda stored: records.decode(stored, Group),
    "incident": lambda stored: records.decode(stored, Incident),
    "page": lambda stored: records.decode(stored, Page),
    "purse": lambda stored: records.decode(stored, Purse),
    "answer": lambda stored: records.decode(stored, Answer),
    "waiting": lambda stored: records.decode(stored, Waiting),
}


def test_an_alert_of_an_earlier_daymark_lacks_what_came_later() -> None:
    lacking: dict[str, Any] = {"quiet": None}
    found = alert.decode(bytes.fromhex(EARLIER["alert that nobody is spared"]))
    assert found == msgspec.structs.replace(WHOLE["alert"], **lacking)
    lacking |= {"respond_by": None, "answered": None}
    found = alert.decode(bytes.fromhex(EARLIER["alert without a response"]))
    assert found == msgspec.structs.replace(WHOLE["alert"], **lacking)
    found = alert.decode(bytes.fromhex(EARLIER["alert without pages"]))
    assert found == msgspec.structs.replace(WHOLE["alert"], pages=[], **lacking)


def test_an_action_that_waited_in_an_earlier_daymark_has_done_nothing_yet() -> None:
    found = records.decode(bytes.fromhex(EARLIER["waiting without what was done so far"]), Waiting)
    assert found == msgspec.structs.replace(WHOLE["waiting"], so_far={})


def test_a_group_of_an_earlier_daymark_does_not_know_how_bad_its_last_messages_were() -> None:
    found = records.decode(bytes.fromhex(EARLIER["group without the worst"]), Group)
    assert found == msgspec.structs.replace(WHOLE["group"], worst={})


def encoded(value: Any) -> bytes:
    if isinstance(value, Track):
        return msgspec.msgpack.encode(value)
    return alert.encode(value) if isinstance(value, Alert) else records.encode(value)


@pytest.mark.parametrize("name", WHOLE)
def test_what_was_stored_is_read_as_it_was(name: str) -> None:
    assert READ[name](bytes.fromhex(STORED[name])) == WHOLE[name]


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_stored_are_the_bytes_that_were(name: str) -> None:
    assert encoded(WHOLE[name]).hex() == STORED[name]


@pytest.mark.parametrize("name", WHOLE)
def test_every_field_is_filled_so_that_none_can_change_unseen(name: str) -> None:
    whole = WHOLE[name]
    bare = [field for field in type(whole).__struct_fields__ if getattr(whole, field) in (0, "", [], {}, False)]
    assert bare == []


def test_a_desk_goes_on_from_the_bytes_that_were() -> None:
    names = {name: f"{name[0]}/{name[0]}1" for name in ("alert", "group", "incident", "page", "waiting")}
    names |= {"purse": "l/l1", "answer": "x/x1"}
    desk = Desk(EMPTY, NOTHING, [(entry, bytes.fromhex(STORED[name])) for name, entry in names.items()])
    assert desk.next_time() is not None
    effects = desk.on_time(NOW + 1_000)
    assert set(desk.changes()) >= {"a/a1", "w/w1"}
    assert [row["state"] for row in alerts(effects).values()] == ["expired"], "though its cause is not known"
