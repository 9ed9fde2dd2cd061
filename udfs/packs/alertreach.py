"""Who can be reached through which channel, and at which address."""

from __future__ import annotations

from udfs.packs import alertchannels as channels
from udfs.packs.alertchannels import Channel
from udfs.packs.alertmodel import Person

WANTED = {"email": "`email`", "sms": "`phone`"}
"""The word that a person needs to be reached through a type of channel."""


def type_of(channel: Channel) -> str:
    """`email`, `sms` and so on."""
    return next(name for name, model in channels.CHANNELS.items() if isinstance(channel, model))


def address_of(name: str, person: Person, channel: Channel) -> str | None:
    """Where a person is reached; "": the channel knows it. None: nowhere."""
    match type_of(channel):
        case "email":
            return person.email
        case "sms":
            return person.phone
        case "slack":
            return person.chat.slack or ""
        case "teams":
            return person.chat.teams or ""
        case "browser":
            return name
    return ""


def room_of(channel: Channel) -> str | None:
    """Where a channel goes when no person is meant; "": it knows itself. None: it only reaches people."""
    if isinstance(channel, channels.EmailChannel):
        return ", ".join(channel.to) if channel.to else None
    return None if isinstance(channel, channels.SmsChannel) else ""
