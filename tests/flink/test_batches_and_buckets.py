"""The Python side of the batches, without Flink: frames and outputs."""

from __future__ import annotations

from operator import attrgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.operators.batch import (
    Frame,
    RuleRecord,
    decode,
    decode_rule,
    element,
    encode,
    encode_rule,
    split_element,
)

INT64 = st.integers(-(2**63), 2**63 - 1)
BYTE = st.integers(0, 255)
FRAMES = st.lists(st.builds(Frame, BYTE, BYTE, st.integers(0, 2**31 - 1), INT64, INT64, st.binary(max_size=200)))


@given(FRAMES)
def test_frames_come_back_as_they_were(frames: list[Frame]) -> None:
    fields = attrgetter("mapping", "key", "partition", "offset", "received", "payload")
    assert list(map(fields, decode(encode(frames)))) == list(map(fields, frames))


def test_a_frame_has_the_layout_of_the_contract() -> None:
    batch = encode([Frame(1, 255, 2, 3, 4, b"xyz")])
    assert batch == bytes.fromhex("01 ff 00000002 0000000000000003 0000000000000004 00000003") + b"xyz"


@given(st.integers(1, 40))
def test_a_batch_that_is_cut_off_says_where(cut: int) -> None:
    whole = encode([Frame(0, 0, 0, 0, 0, b"first"), Frame(0, 0, 0, 1, 0, b"x" * 40)])
    with pytest.raises(ValueError, match="ends inside"):
        list(decode(whole[:-cut]))


@given(st.sampled_from("FTIED"), st.text(), st.binary())
def test_outputs_come_apart_as_they_were_put_together(tag: str, key: str, value: bytes) -> None:
    assert split_element(element(tag, key, value)) == (tag, key.encode("utf-8", "surrogatepass"), value)


def test_a_key_that_is_too_long_for_an_output_is_cut() -> None:
    assert split_element(element("F", "é" * 40_000, b"v"))[1] == ("é" * 40_000).encode()[:65_535]


@given(st.builds(RuleRecord, st.integers(0, 9), INT64, INT64, st.binary(), st.binary()))
def test_rule_records_come_back_as_they_were(record: RuleRecord) -> None:
    assert decode_rule(encode_rule(record)) == record
