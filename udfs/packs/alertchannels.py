"""The language of channels: how people are reached. No secret stands in a document, only where it is found."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from udfs.packs.alertmatch import LISTED
from udfs.packs.durations import UNITS
from udfs.packs.sections import Duration, Section, Text

PLACES = "`{env: NAME}` or `{file: /path}`"


def _address(value: str) -> str:
    if not re.fullmatch(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]{1,190}", value):
        raise ValueError(f"`{value}` is not a mail address; write it like `anna@example.com`")
    return value


Email = Annotated[str, AfterValidator(_address)]
Addresses = Annotated[list[Email], LISTED, Field(min_length=1)]


class Found(Section):
    """A value in the environment of the dispatcher, or in a file that it can read; or, where it is none of the secret
    ones, the text itself."""

    EXAMPLE: ClassVar[str] = "{env: NAME}"
    env: Text | None = None
    file: Text | None = None
    text: Annotated[str, Field(max_length=2_000)] | None = None


def _found(value: Any, secret: bool) -> Any:
    if secret and (not isinstance(value, dict) or "text" in value):
        raise ValueError(f"a secret never stands in a document; say where it is found: {PLACES}")
    if isinstance(value, str):
        return {"text": value}
    if isinstance(value, dict) and ("env" in value) + ("file" in value) != 1 and not value.keys() - {"env", "file"}:
        raise ValueError(f"say in one way where it is found: {PLACES}")
    return value


_PLACE = {
    "type": "object",
    "properties": {"env": {"type": "string"}, "file": {"type": "string"}},
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 1,
}
Secret = Annotated[Found, BeforeValidator(lambda value: _found(value, True)), WithJsonSchema(_PLACE)]
Setting = Annotated[
    Found,
    BeforeValidator(lambda value: _found(value, False)),
    WithJsonSchema({"anyOf": [{"type": "string"}, _PLACE]}),
]


class Limit(Section):
    """`count` messages at once to one recipient, and as many again in each span `per`; the rest comes as one digest."""

    EXAMPLE: ClassVar[str] = "{count: 10, per: 1m}"
    count: Annotated[int, Field(ge=1)] = 10
    per: Duration = UNITS["m"]


class Templates(Section):
    """Jinja2 texts in place of those that are shipped."""

    title: str | None = None
    text: str | None = None
    html: str | None = None


class Channel(Section):
    """What all channels have in common."""

    description: str = ""
    limit: Limit = Limit()
    templates: Templates = Templates()


class EmailChannel(Channel):
    """Mail by SMTP. `server` is `host:port`; `to` is who gets what names no person, as a distribution list."""

    type: Literal["email"]
    server: Setting
    tls: Literal["starttls", "tls", "none"] = "starttls"
    username: Setting | None = None
    password: Secret | None = None
    sender: Email = Field(alias="from")
    to: Addresses | None = None


class SmsChannel(Channel):
    """Text messages through a gateway that takes Twilio's requests."""

    type: Literal["sms"]
    url: Setting
    account: Setting
    token: Secret
    sender: Text = Field(alias="from")


class SlackChannel(Channel):
    """An incoming webhook of Slack."""

    type: Literal["slack"]
    url: Secret


class TeamsChannel(Channel):
    """An incoming webhook of Microsoft Teams."""

    type: Literal["teams"]
    url: Secret


class PagerdutyChannel(Channel):
    """PagerDuty's Events API, version 2; without `url` the public one."""

    type: Literal["pagerduty"]
    routing_key: Secret
    url: Setting | None = None


class WebhookChannel(Channel):
    """Any HTTP endpoint. `body` is a Jinja2 template (without one: the notification as JSON), `secret` signs it."""

    type: Literal["webhook"]
    url: Setting
    method: Literal["POST", "PUT"] = "POST"
    headers: dict[Text, Setting] = {}
    secret: Secret | None = None
    body: str | None = None


class BrowserChannel(Channel):
    """The pages that are open in a browser."""

    type: Literal["browser"]


AnyChannel = Annotated[
    EmailChannel | SmsChannel | SlackChannel | TeamsChannel | PagerdutyChannel | WebhookChannel | BrowserChannel,
    Field(discriminator="type"),
]
CHANNELS: dict[str, type[Channel]] = {
    "email": EmailChannel,
    "sms": SmsChannel,
    "slack": SlackChannel,
    "teams": TeamsChannel,
    "pagerduty": PagerdutyChannel,
    "webhook": WebhookChannel,
    "browser": BrowserChannel,
}
