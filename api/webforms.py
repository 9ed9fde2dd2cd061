"""What a form of one of our pages says, read without a framework's help: fields, lists of words, groups."""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import Request

from api import security

MAX_FORM = 16_384


async def fields_of(request: Request) -> dict[str, list[str]]:
    """The fields of a form, each with its values. Raises a 413 problem for one that is too long."""
    body = await security.body_of(request, MAX_FORM)
    return parse_qs(body.decode(errors="replace"))


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form, each with its first value."""
    return {name: values[0] for name, values in (await fields_of(request)).items()}


def words(text: str) -> list[str]:
    """What stands between commas."""
    return [word.strip() for word in text.split(",") if word.strip()]


def groups(text: str) -> dict[str, list[str]]:
    """{customer: [acme, zorg]} of `customer:acme, customer:zorg`. Raises ValueError."""
    found: dict[str, list[str]] = {}
    for word in words(text):
        name, colon, value = word.partition(":")
        if not (name and colon and value):
            raise ValueError(f"{word!r} is no group: write name:value, such as customer:acme")
        found.setdefault(name, []).append(value)
    return found
