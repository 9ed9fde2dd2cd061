"""Renders a channel's own templates in a process of their own: one that never ends, or fills the memory, is stopped
there, and harms nobody else. What is shipped with Daymark is rendered where it is asked for."""

from __future__ import annotations

import resource
from collections.abc import Mapping
from typing import Any

from anyio import fail_after, to_process

from udfs.alerting.render.context import Addresses
from udfs.alerting.render.message import Message, render
from udfs.alerting.render.texts import RenderError

OWN = ("templates", "body")
LONGEST_S = 10.0
"""Much more than a template needs: a process has to be started first, perhaps on a busy machine."""

MOST_BYTES = 2**30


class TooMuchError(RenderError):
    """Templates that take too long, or too much memory: they would again."""


async def render_within(
    channel: Mapping[str, Any], notification: Mapping[str, Any], addresses: Addresses, zone: str = ""
) -> Message:
    """As `render` does. Raises RenderError."""
    if not any(channel.get(name) for name in OWN):
        return render(channel, notification, addresses, zone)
    try:
        with fail_after(LONGEST_S):
            return await to_process.run_sync(_alone, channel, notification, addresses, zone, cancellable=True)
    except TimeoutError:
        raise TooMuchError(f"the channel's templates took longer than {LONGEST_S:.0f} s; has one a loop?") from None


def _alone(channel: Mapping[str, Any], notification: Mapping[str, Any], addresses: Addresses, zone: str) -> Message:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    try:
        return render(channel, notification, addresses, zone)
    except MemoryError:
        raise TooMuchError(f"the channel's templates need more than {MOST_BYTES >> 20} MiB of memory") from None
