"""What a record's values become: instants, keys, ids, groups and amounts, or a reason why the record is no event."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from udfs.core.source import Position, Unreadable
from udfs.packs.times import EARLIEST, LATEST, TimeReader

LONGEST_NAME: Final = 1_024
"""The most characters that an id, a source, a type and a key may have, each: they become keys of topics and state."""


INFINITE: Final = float("inf")


def instant(value: Any, read: TimeReader, path: Any) -> int | None:
    """Epoch ms, or None where there is no time stamp."""
    if value is None or value == "":
        return None
    try:
        time = read.read(value)
    except (ValueError, TypeError, OverflowError) as fault:
        raise unreadable_time(value, path, fault) from None
    if not EARLIEST <= time < LATEST:
        raise unlikely_time(value, path)
    return time


def unreadable_time(value: Any, path: Any, fault: Exception) -> Unreadable:
    """Why there is no instant in `value`."""
    if value is None or value == "":
        return Unreadable("no_time", lacks("time", path, value))
    detail = f"it is {kind_of(value)}" if isinstance(fault, TypeError) else str(fault)[:120]
    return Unreadable("bad_time", f"can't read the time at `{path}`: {_shown(value)}: {detail}")


def unlikely_time(value: Any, path: Any) -> Unreadable:
    """An instant that is a clock fault or a mistaken unit."""
    text = f"the time at `{path}` is {_shown(value)}, not between the years 1970 and 2200; mind the unit"
    return Unreadable("bad_time", text)


def key_text(value: Any, name: str, path: Any) -> str:
    if type(value) is int and -(10**100) < value < 10**100:
        return str(value)
    raise Unreadable("no_key", lacks(name, path, value))


def source_text(value: Any, default: str) -> str:
    """The mapping's name, for a record that names no source."""
    if value is None or value == "":
        return default
    raise Unreadable("invalid_event", f"the `source` is {kind_of(value)}, not a text")


def event_id(value: Any, source: str, noted: Any, position: Position | str) -> str:
    """An id that isn't a text: a number's text, or a hash of where the record stands."""
    if value is not None and value != "":
        return plain_text(value, "id")
    place = noted if type(noted) is str else str(noted) if type(noted) is int and abs(noted) < 10**20 else str(position)
    return sha256(f"{source}\x1f{place}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def plain_text(value: Any, path: str) -> str:
    """The text of a text or a number."""
    if type(value) is str:
        return value
    if type(value) is float and abs(value) >= 2**53:  # two whole numbers may have become one by being parsed
        raise Unreadable(
            "invalid_event", f"the number at `{path}` is too long to tell from its neighbours; send a text"
        )
    if type(value) is float or (type(value) is int and -(10**100) < value < 10**100):
        return repr(value)
    raise Unreadable("invalid_event", f"the value at `{path}` is {kind_of(value)}; it must be a text or a number")


def check_texts(texts: dict[str, Any]) -> None:
    """Raises Unreadable for names that can't be stored."""
    for name, text in texts.items():
        if len(text) > LONGEST_NAME:
            raise Unreadable("invalid_event", f"`{name}` has {len(text):,} characters, more than {LONGEST_NAME:,}")
        if not _storable(text):
            raise Unreadable("invalid_event", f"`{name}` holds half a character (a lone surrogate)")


def _storable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def group_text(value: Any) -> str:
    """A group's text; empty (and then left out) where there is none."""
    if type(value) is str and value.isascii():
        return value[:LONGEST_NAME]
    if value is None or isinstance(value, dict | list):
        return ""
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int and abs(value) > 10**100:
        return ""
    text = str(value)
    return text[:LONGEST_NAME] if _storable(text) else ""


def amount_of(value: Any) -> float | None:
    """An amount; None for what isn't a finite number."""
    if type(value) not in (float, int, str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if -INFINITE < number < INFINITE else None


def same(value: Any, accepted: list[Any]) -> bool:
    return any(value == one and type(value) is type(one) for one in accepted)


def lacks(name: str, path: Any, value: Any) -> str:
    found = "there is nothing" if value is None or value == "" else f"there is {kind_of(value)}"
    return f"no `{name}`: {found} at `{path}`, where the mapping looks for it"


def kind_of(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case str():
            return "a text"
        case int():
            return "a whole number"
        case float():
            return "a number with a fraction"
        case list():
            return "a list"
        case dict():
            return "an object"
    return f"a {type(value).__name__}"


def _shown(value: Any) -> str:
    """A short quotation that can be stored."""
    if isinstance(value, str):
        return f"`{value[:60].encode('utf-8', 'replace').decode()}`"
    small = isinstance(value, float) or (isinstance(value, int) and abs(value) < 10**30)
    return f"`{value}`" if small else kind_of(value)
