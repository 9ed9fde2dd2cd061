"""Silences of somebody with limits: which of them can hide nothing but what is theirs. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from api.access.roles import Limits
from udfs.alerting.matchers import LABELS, Matcher
from udfs.packs.alertmatch import listed, parse_matcher, write_label


class Beyond(ValueError):
    """Something could reach beyond somebody's limits; the text says why, for them to read."""


def narrowed(match: Any, limits: Limits) -> list[str]:
    """The matchers of a silence, as a document has them, with those added that leave it within the limits.

    Raises Beyond for one that asks for more, or for nothing that is within; ValueError for what is no matcher.
    """
    texts = list(listed(match))
    matchers = [parse_matcher(text) for text in texts]
    added = [_of(label, allowed, matchers) for label, allowed in _limited(limits)]
    return [*texts, *(text for text in added if text)]


def inside(match: Any, limits: Limits) -> bool:
    """Whether a silence with these matchers can only hide what is within the limits."""
    try:
        return narrowed(match, limits) == list(listed(match))
    except ValueError:
        return False


def _limited(limits: Limits) -> Iterator[tuple[str, Collection[str]]]:
    """The labels that limits speak of, with the values that are within."""
    if limits.workflows is not None:
        yield "workflow", limits.workflows
    for name, values in sorted(limits.groups.items()):
        if name in LABELS:  # every alert has a label of its own by that name, which hides the group
            raise Beyond(
                f"You are limited by the group `{name}`, which no matcher can name; ask somebody without limits."
            )
        yield name, values


def _of(label: str, allowed: Collection[str], matchers: Collection[Matcher]) -> str:
    """The matcher to add on a label; '' where those that are there are enough. An alert without the label has the empty
    text there, which is within nobody's limits."""
    about = [one for one in matchers if one.label == label]
    left = sorted(value for value in allowed if value and all(one.fits({label: value}) for one in about))
    if not left:
        raise Beyond(f"Nothing that fits these matchers is within your limits, which are about `{label}`.")
    listings = [one.values for one in about if one.pattern is None and not one.negated]
    if not listings:
        return _written(label, left)
    if more := frozenset.intersection(*listings) - set(left):
        raise Beyond(f"This would reach beyond your limits, by `{label}` {', '.join(map(repr, sorted(more)))}.")
    return ""


def _written(label: str, values: list[str]) -> str:
    texts = [json.dumps(value, ensure_ascii=False) for value in values]
    return f"{write_label(label)} = {texts[0]}" if len(texts) == 1 else f"{write_label(label)} in [{', '.join(texts)}]"
