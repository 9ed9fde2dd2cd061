"""Each channel against a real receiver: what arrives there, and what its answers mean."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import re
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

import httpx
import msgspec
import pytest
import trustme
import yaml

from jobs.channels import outbox as outbox_module
from jobs.channels.outbox import SENDERS, Outbox
from jobs.channels.sender import Result, Tools
from jobs.channels.vault import HidingFilter, SecretError, Vault
from jobs.dispatch.records import Notify
from tests.jobs.receivers import Answer, HttpReceiver, http_receiver, mail_server
from udfs import renderer
from udfs.alerting.links import read
from udfs.alerting.render.context import Addresses
from udfs.alerting.render.message import render
from udfs.packs.alertchannels import CHANNELS

SECRET = "the secret that signs the links, long enough"
PASSWORD = "hunter2-hunter2"
ENV = {"PASSWORD": PASSWORD, "KEY": "R0UT1NGKEY" * 3, "SIGN": "whsec_" + base64.b64encode(b"k" * 32).decode()}
NOTICE = Notify(
    id="n" * 32,
    channel="c",
    at_ms=1_772_438_400_000,
    title="Opened: feed is missing",
    alerts=[{"id": "f" * 32, "severity": "high", "summary": "feed is missing", "episode": 2}],
    count=1,
    person="anna",
    dedup_key="dedup",
    revs={"f" * 32: 7},
)


TEAMS = b"Webhook message delivery failed with error: "


def send(document: dict[str, Any], notice: Notify = NOTICE, env: dict[str, str] = ENV, **more: Any) -> Result:
    (result,) = send_again(document, 1, notice, env, **more)
    return result


def send_again(
    document: dict[str, Any], times: int, notice: Notify = NOTICE, env: dict[str, str] = ENV, **more: Any
) -> list[Result]:
    """Tries of one notice, one after the other, by one outbox."""

    async def tries() -> list[Result]:
        async with httpx.AsyncClient(timeout=2, verify=CONTEXT) as http:
            tools = Tools(Vault(env), http, more.get("publish", nobody))
            documents = {"channel/c": document, "person/anna": {"zone": "Europe/Amsterdam"}}
            outbox = Outbox(documents, tools, "https://d.example/", SECRET)
            return [await outbox.send(await outbox.prepare(notice)) for _ in range(times)]

    return asyncio.run(tries())


async def nobody(_: bytes) -> None:
    raise AssertionError("nothing was to be published")


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as running:
        yield running


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))


DOCUMENTS: list[dict[str, Any]] = [
    {"type": "email", "server": {"env": "S"}, "tls": "tls", "username": "u", "password": {"env": "P"}, "from": "d@x.y"},
    {"type": "sms", "url": "https://x", "account": "AC1", "token": {"env": "T"}, "from": "+3100"},
    {"type": "slack", "url": {"env": "U"}},
    {"type": "teams", "url": {"file": "/run/u"}},
    {"type": "pagerduty", "routing_key": {"env": "K"}, "url": "https://x"},
    {"type": "webhook", "url": "https://x", "method": "PUT", "headers": {"A": {"env": "H"}}, "secret": {"env": "S"}},
    {"type": "browser"},
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one["type"])
def test_what_senders_read_is_what_the_language_can_say(document: dict[str, Any]) -> None:
    """The names in these documents are all that senders ask for (beside `to`, `body` and `templates`)."""
    assert CHANNELS[document["type"]].model_validate(document)
    assert document["type"] in SENDERS


def test_the_channel_on_the_page_about_notifications_is_valid_and_its_body_is_json() -> None:
    page = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text()
    (block,) = re.findall(r"\n\n((?:    .*\n)*    channels:\n(?:    .*\n)*)", page)
    document = yaml.safe_load(block)["channels"]["desk"]
    assert CHANNELS["webhook"].model_validate(document)
    addresses = Addresses("https://d.example/alerts", "", "https://d.example/ack/T")
    body = render(document, {"title": 'a "quoted" title', "reason": "opened"}, addresses).body
    assert json.loads(body) == {"text": 'a "quoted" title', "link": "https://d.example/ack/T"}


def mail(server: str, **more: Any) -> dict[str, Any]:
    return {"type": "email", "server": server, "from": "daymark@example.com", **more}


CONTEXT = ssl.create_default_context()  # made once: it costs more than a test
LOGIN = {"username": "daymark", "password": {"env": "PASSWORD"}}


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_mail_goes_by_tls_and_log_in_with_text_html_and_a_link_that_acknowledges(
    authority: trustme.CA, tls: str
) -> None:
    with mail_server(authority, tls=tls, password=PASSWORD) as (server, box):
        notice = Notify(**{**asdict(NOTICE), "address": "anna@example.com"})
        assert send(mail(server, tls=tls, **LOGIN), notice) == Result("sent", "", 250)
    assert box.recipients == [["anna@example.com"]]
    (received,) = box.mails
    assert received["Subject"] == "[high] Opened: feed is missing"
    assert received["Message-ID"] == f"<{'n' * 32}@example.com>"
    assert received["References"] == received["In-Reply-To"] != received["Message-ID"]
    assert received["Auto-Submitted"] == "auto-generated"
    text, html = (part.get_content() for part in received.iter_parts())
    token = text.partition("/ack/")[2].split()[0]
    link = read(token, SECRET, NOTICE.at_ms)
    assert (link.action, link.alerts, link.person) == ("ack", {"f" * 32: 2}, "anna")
    assert token in html


def asdict(notice: Notify) -> dict[str, Any]:
    return {name: getattr(notice, name) for name in notice.__struct_fields__}


def test_the_link_of_a_message_that_shows_some_of_its_alerts_is_for_all_of_them(receiver: HttpReceiver) -> None:
    many = msgspec.structs.replace(NOTICE, revs={f"{n:032x}": 7 for n in range(500)}, count=500)
    body = '{"link": {{ acknowledge_url | tojson }}}'
    for notice in (NOTICE, many):
        assert send({"type": "webhook", "url": receiver.url, "body": body}, notice).outcome == "sent"
    one, all_of_them = (
        read(json.loads(request.body)["link"].rpartition("/")[2], SECRET, NOTICE.at_ms) for request in receiver.requests
    )
    assert (one.alerts, one.message) == ({"f" * 32: 2}, "")
    assert (all_of_them.alerts, all_of_them.message, all_of_them.told_ms) == ({}, NOTICE.id, NOTICE.at_ms)


@pytest.mark.usefixtures("trusted")
def test_a_mail_that_names_nobody_goes_to_the_channels_list_and_one_bad_address_spoils_nothing(
    authority: trustme.CA,
) -> None:
    with mail_server(authority) as (server, box):
        result = send(mail(server, to=["ops@example.com", "refuse@example.com"]))
    assert (result.outcome, result.detail) == ("sent", "1 of 2 recipients were refused: 550 no such mailbox")
    assert box.recipients == [["ops@example.com"]]


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("more", [[], ["refuse@example.com"]])
def test_a_recipient_refused_for_now_is_tried_again_and_the_others_get_it_once(
    authority: trustme.CA, more: list[str]
) -> None:
    with mail_server(authority) as (server, box):
        document = mail(server, to=["ops@example.com", "later@example.com", *more])
        outcomes = [one.outcome for one in send_again(document, 2)]
    assert outcomes == ["later", "sent"]
    assert box.recipients == [["ops@example.com"], ["later@example.com"]]


@pytest.mark.usefixtures("trusted")
def test_a_sender_that_the_server_refuses_can_be_put_right_and_makes_no_dead_letters(authority: trustme.CA) -> None:
    with mail_server(authority) as (server, box):
        box.sender = "553 not yours"
        result = send(mail(server, to="ops@example.com"))
    assert (result.outcome, result.status) == ("failed", 553)


def test_a_text_message_that_fails_halfway_goes_on_where_it_stopped(receiver: HttpReceiver) -> None:
    receiver.answer = lambda request: Answer(500 if len(receiver.requests) == 2 else 201)
    document = {"type": "sms", "url": receiver.url, "account": "A", "token": "T", "from": "+1", "to": ["+31", "+32"]}
    assert [one.outcome for one in send_again(document, 2)] == ["failed", "sent"]
    assert [parse_qs(one.body.decode())["To"] for one in receiver.requests] == [["+31"], ["+32"], ["+32"]]
    assert len(set(receiver.keys())) == 2


@pytest.mark.usefixtures("trusted")
def test_what_a_mail_server_answers_decides_whether_it_is_tried_again(authority: trustme.CA) -> None:
    with mail_server(authority, password=PASSWORD) as (server, box):
        ours = mail(server, to="ops@example.com", **LOGIN)
        assert send({**ours, "to": "refuse@example.com"}).outcome == "refused"
        assert send(ours, env={"PASSWORD": "wrong password"}).outcome == "failed"
        box.answer = "451 later"
        assert send(ours).status == 451
        assert send(ours).outcome == "failed"
        box.answer = "554 spam"
        assert send(ours).outcome == "refused"
    assert send(ours).outcome == "failed", "nobody is there"


def test_a_mail_server_without_a_trusted_certificate_learns_no_password(authority: trustme.CA) -> None:
    with mail_server(authority, password=PASSWORD) as (server, box):
        result = send(mail(server, to="ops@example.com", **LOGIN))
    assert result.outcome == "failed"
    assert "certificate verify failed" in result.detail
    assert not box.mails


def test_a_mail_without_an_address_says_so() -> None:
    assert send(mail("localhost:1")).detail == "there is no address for anna, and the channel has no `to`"


def test_a_text_message_is_sent_as_twilio_takes_it(receiver: HttpReceiver) -> None:
    receiver.answer = lambda _: Answer(201, body=b'{"sid": "SM1"}')
    document = {"type": "sms", "url": receiver.url, "account": "AC1", "token": {"env": "PASSWORD"}, "from": "+3100"}
    assert send(document, Notify(**{**asdict(NOTICE), "address": "+31612345678"})).outcome == "sent"
    (request,) = receiver.requests
    assert request.path == "/2010-04-01/Accounts/AC1/Messages.json"
    form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
    assert (form["To"], form["From"]) == ("+31612345678", "+3100")
    assert form["Body"].startswith("HIGH Opened: feed is missing https://d.example/ack/")
    assert request.headers["authorization"] == "Basic " + base64.b64encode(f"AC1:{PASSWORD}".encode()).decode()


def test_a_text_message_about_twenty_alerts_is_paid_as_four_at_most(receiver: HttpReceiver) -> None:
    alerts = [{"id": f"{n:032x}", "severity": "critical", "summary": "s", "episode": 1} for n in range(20)]
    revs = {alert["id"]: 7 for alert in alerts}
    many = msgspec.structs.replace(NOTICE, title="reply is missing " * 50, alerts=alerts, revs=revs, count=20)
    document = {"type": "sms", "url": receiver.url, "account": "AC1", "token": {"env": "PASSWORD"}, "from": "+3100"}
    assert send(document, msgspec.structs.replace(many, address="+31612345678")).outcome == "sent"
    text = parse_qs(receiver.requests[0].body.decode())["Body"][0]
    assert text.isascii(), "one other letter halves what a part holds"
    assert len(text) <= 4 * 153
    link = read(text.rpartition("/")[2], SECRET, NOTICE.at_ms)
    assert (link.alerts, link.message) == ({}, NOTICE.id)


@pytest.mark.parametrize("type", ["slack", "teams"])
def test_chats_get_a_message_with_a_button_to_acknowledge(receiver: HttpReceiver, type: str) -> None:
    assert send({"type": type, "url": {"env": "URL"}}, env={"URL": f"{receiver.url}/hooks/T0K3N"}).outcome == "sent"
    (request,) = receiver.requests
    assert request.path == "/hooks/T0K3N"
    assert "/ack/" in json.dumps(json.loads(request.body))


@pytest.mark.parametrize(
    ("reason", "action"), [("opened", "trigger"), ("acknowledged", "acknowledge"), ("resolved", "resolve")]
)
def test_the_pager_is_triggered_acknowledged_and_resolved_under_one_key(
    receiver: HttpReceiver, reason: str, action: str
) -> None:
    receiver.answer = lambda _: Answer(202, body=b'{"status": "success"}')
    document = {"type": "pagerduty", "routing_key": {"env": "KEY"}, "url": receiver.url}
    assert send(document, Notify(**{**asdict(NOTICE), "reason": reason})).status == 202
    event = json.loads(receiver.requests[0].body)
    assert (event["event_action"], event["dedup_key"], event["routing_key"]) == (action, "dedup", ENV["KEY"])


@pytest.mark.parametrize(
    ("said", "outcome"),
    [(b"Length of 'routing_key' is incorrect", "failed"), (b"'payload.summary' is missing", "refused")],
)
def test_a_wrong_key_of_the_pager_can_be_put_right_and_makes_no_dead_letters(
    receiver: HttpReceiver, said: bytes, outcome: str
) -> None:
    receiver.answer = lambda _: Answer(400, body=said)
    document = {"type": "pagerduty", "routing_key": {"env": "KEY"}, "url": receiver.url}
    assert send(document).outcome == outcome


@pytest.mark.parametrize("secret", [ENV["SIGN"], "plain text secret"])
def test_a_webhook_is_signed_so_that_its_receiver_can_tell_who_sent_it_and_when(
    receiver: HttpReceiver, secret: str
) -> None:
    document = {"type": "webhook", "url": receiver.url, "method": "PUT", "secret": {"env": "S"}}
    headers = {"Authorization": {"env": "PASSWORD"}, "X-Team": "ops"}
    assert send({**document, "headers": headers}, env={**ENV, "S": secret}).outcome == "sent"
    (request,) = receiver.requests
    got = request.headers
    key = base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()
    signed = f"{got['webhook-id']}.{got['webhook-timestamp']}.".encode() + request.body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert got["webhook-signature"] == f"v1,{expected}"
    assert (request.method, request.key, got["authorization"], got["x-team"]) == ("PUT", "n" * 32, PASSWORD, "ops")
    assert json.loads(request.body)["title"] == "Opened: feed is missing"


def test_a_broken_template_doesnt_keep_a_page_from_going_out(receiver: HttpReceiver) -> None:
    result = send({"type": "webhook", "url": receiver.url, "body": "{{ titel }}"})
    assert (result.outcome, "'titel' is undefined" in result.detail) == ("sent", True)
    assert json.loads(receiver.requests[0].body)["id"] == "n" * 32


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "longer than 3 s"),
        ("{{ ('x' * 3000000000) | length }}", "MiB of memory"),
    ],
)
def test_a_template_without_an_end_holds_nobody_up_and_is_not_tried_again(
    receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch, body: str, says: str
) -> None:
    monkeypatch.setattr(renderer, "LONGEST_S", 3.0)
    asked: list[Any] = []
    real = renderer.render_within
    monkeypatch.setattr(outbox_module, "render_within", lambda *what: asked.append(what) or real(*what))
    results = send_again({"type": "webhook", "url": receiver.url, "body": body}, 2)
    assert [one.outcome for one in results] == ["sent", "sent"]
    assert all(says in one.detail for one in results)
    assert json.loads(receiver.requests[-1].body)["title"] == NOTICE.title
    assert len(asked) == 1


def test_open_browsers_get_it_through_kafka() -> None:
    written: list[bytes] = []

    async def publish(value: bytes) -> None:
        written.append(value)

    assert send({"type": "browser"}, publish=publish).outcome == "sent"
    assert json.loads(written[0])["text"].startswith("Opened: feed is missing")


@pytest.mark.parametrize(
    ("said", "outcome", "status"),
    [
        (b"1", "sent", 200),
        (TEAMS + b"Microsoft Teams endpoint returned HTTP error 429 with ContextId tcid=0", "busy", 429),
        (TEAMS + b"Microsoft Teams endpoint returned HTTP error 413 with ContextId tcid=0", "refused", 413),
        (TEAMS + b"Microsoft Teams endpoint returned HTTP error 403 with ContextId tcid=0", "failed", 403),
        (TEAMS + b"Error contacting Microsoft Teams endpoint", "failed", 502),
    ],
)
def test_a_card_that_teams_did_not_take_is_not_sent_though_it_answers_200(
    receiver: HttpReceiver, said: bytes, outcome: str, status: int
) -> None:
    receiver.answer = lambda _: Answer(body=said)
    result = send({"type": "teams", "url": {"env": "URL"}}, env={"URL": receiver.url})
    assert (result.outcome, result.status) == (outcome, status)
    assert send({"type": "slack", "url": {"env": "URL"}}, env={"URL": receiver.url}).outcome == "sent"


SOON = format_datetime(datetime.now(UTC) + timedelta(hours=2))


@pytest.mark.parametrize(
    ("answer", "outcome", "waits"),
    [
        (Answer(204, body=b""), "sent", range(1)),
        (Answer(302, {"Location": "http://127.0.0.1:1/"}), "failed", range(1)),
        (Answer(400), "refused", range(1)),
        (Answer(401), "failed", range(1)),
        (Answer(404), "failed", range(1)),
        (Answer(429, {"Retry-After": "7"}), "busy", range(7_000, 7_001)),
        (Answer(429, {"Retry-After": SOON}), "busy", range(6_000_000, 7_200_000)),
        (Answer(429, {"Retry-After": "soon"}), "busy", range(1)),
        (Answer(500), "failed", range(1)),
        (Answer(503, {"Retry-After": "5"}), "failed", range(5_000, 5_001)),
    ],
)
def test_what_an_http_status_means(receiver: HttpReceiver, answer: Answer, outcome: str, waits: range) -> None:
    receiver.answer = lambda _: answer
    result = send({"type": "webhook", "url": receiver.url})
    assert (result.outcome, result.status) == (outcome, answer.status)
    assert result.wait_ms in waits


def test_a_receiver_that_hangs_is_a_failure_in_time(receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "LONGEST_S", 0.2)
    receiver.answer = lambda _: Answer(after=1)
    began = time.monotonic()
    assert send({"type": "webhook", "url": receiver.url}) == Result("failed", "no answer in time")
    assert time.monotonic() - began < 0.9


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (None, "there is no channel 'c'"),
        ({"type": "pigeon"}, "of type 'pigeon', which is unknown"),
        ({"type": "webhook"}, "`url` is missing"),
        ({"type": "webhook", "url": "no address"}, "UnsupportedProtocol"),
        ({"type": "webhook", "url": "http://127.0.0.1:1/"}, "ConnectError"),
        ({"type": "slack", "url": {"env": "NOT_SET"}}, "environment has no NOT_SET"),
        ({"type": "slack", "url": {"file": "/run/secrets/none"}}, "/run/secrets/none can't be read"),
        ({"type": "slack", "url": {"env": "DAYMARK_LINK_SECRET"}}, "a setting of Daymark's own"),
    ],
)
def test_a_channel_at_fault_fails_with_a_sentence(document: dict[str, Any] | None, says: str) -> None:
    result = send(document) if document else send_without_channel()
    assert result.outcome == "failed"
    assert says in result.detail


def send_without_channel() -> Result:
    tools = Tools(Vault({}), httpx.AsyncClient(verify=CONTEXT), nobody)
    outbox = Outbox({}, tools, "", SECRET)
    return asyncio.run(outbox.send(asyncio.run(outbox.prepare(NOTICE))))


def test_secrets_come_from_files_of_one_folder_only(tmp_path: Path) -> None:
    inside = tmp_path / "secrets" / "token"
    inside.parent.mkdir()
    inside.write_text("a token\n")
    (tmp_path / "outside").write_text("secret")
    vault = Vault({"DAYMARK_SECRETS": str(inside.parent)})
    assert vault.reveal({"file": str(inside)}, "token") == "a token"
    for path in (tmp_path / "outside", inside.parent / ".." / "outside"):
        with pytest.raises(SecretError, match="is not in"):
            vault.reveal({"file": str(path)}, "token")
    with pytest.raises(SecretError, match="is not in /run/secrets"):
        Vault({}).reveal({"file": str(inside)}, "token")


def test_no_secret_reaches_a_log_or_a_row(receiver: HttpReceiver, caplog: pytest.LogCaptureFixture) -> None:
    receiver.answer = lambda request: Answer(500, body=f"what is {request.path}?".encode())
    result = send({"type": "slack", "url": {"env": "URL"}}, env={"URL": f"{receiver.url}/hooks/T0K3N"})
    vault = Vault({"URL": "/hooks/T0K3N"})
    vault.reveal({"env": "URL"}, "url")
    caplog.handler.addFilter(HidingFilter(vault))
    logger = logging.getLogger("test")
    logger.warning("posting to %s", "http://x/hooks/T0K3N", extra={"detail": "http://x/hooks/T0K3N"})
    try:
        raise ValueError("http://x/hooks/T0K3N")
    except ValueError:
        logger.exception("it failed")
    logger.warning("%d", "http://x/hooks/T0K3N")
    told = [vars(record) for record in caplog.records if record.name == "test"]
    assert len(told) == 3
    assert "T0K3N" not in str(told)
    assert "ValueError" in str(told)
    assert result.detail == "HTTP 500 what is /[hidden]?"


@pytest.mark.parametrize(
    ("secret", "quotes"),
    [
        ("Bearer a-token-of-length\n", lambda one: f"bad value b'{one}'"),
        ("T0/B0/a-path-of-length", lambda one: json.dumps({"no": one}).replace("/", "\\/")),
        ('a "quoted" secret', json.dumps),
        ("a secret with blanks", lambda one: f"GET /?token={quote(one)}"),
        ("a-token-of-length", lambda one: "x" * 285 + one),
    ],
    ids=["newline", "escaped slashes", "quotes", "in a URL", "at the cut"],
)
def test_a_secret_is_hidden_however_a_receiver_quotes_it(
    receiver: HttpReceiver, secret: str, quotes: Callable[[str], str]
) -> None:
    receiver.answer = lambda request: Answer(500, body=quotes(request.headers["x-token"]).encode())
    document = {"type": "webhook", "url": receiver.url, "headers": {"X-Token": {"env": "SECRET"}}}
    told = send(document, env={"SECRET": secret}).detail
    assert "HTTP 500" in told
    for part in ("oken-of", "path-of", "uoted", "blanks", "a-tok"):
        assert part not in told
