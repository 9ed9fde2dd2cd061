"""The dispatcher: sends the notifications of the alert job to people, and records every attempt.

It needs Kafka and nothing else of Daymark: alerts go out while ClickHouse, the API or the job is down. A second one
stands by, in case that the first one ends.

    python -m jobs.dispatcher --bootstrap 127.0.0.1:19092
    python -m jobs.dispatcher --bootstrap 127.0.0.1:19092 --test mail --address anna@example.com
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
from kafka.errors import KafkaError
from prometheus_client import start_http_server

from jobs import logs
from jobs.channels.outbox import Outbox
from jobs.channels.sender import Tools
from jobs.channels.vault import HidingFilter, Vault
from jobs.dispatch.dispatcher import Dispatcher
from jobs.dispatch.kafkaside import Documents, Writer
from jobs.dispatch.metrics import DispatcherMetrics
from jobs.dispatch.tryout import try_channel
from udfs.linksecret import LinkSecretError, link_secret

BROWSER = "browser"
TIMEOUT_S = 10.0
THREADS = 256
PUBLIC_URL = "http://127.0.0.1:8420"


class MetricsError(Exception):
    """The place where metrics are to be served can't be had."""


def build(
    options: argparse.Namespace,
    env: Mapping[str, str],
    http: httpx.AsyncClient,
    vault: Vault,
    metrics: DispatcherMetrics,
    *,
    fresh: bool = True,
) -> Dispatcher:
    """All parts of a dispatcher, put together. Raises LinkSecretError."""
    writer = Writer(options.bootstrap)

    async def publish(value: bytes) -> None:
        await writer.attempt(f"{options.prefix}{BROWSER}", "", value)

    documents: Documents = {}
    tools = Tools(vault, http, publish)
    outbox = Outbox(documents, tools, options.public_url, link_secret(Path(options.home), env))
    place = f"{socket.gethostname()}:{Path(options.home).resolve()}"
    return Dispatcher(
        options.bootstrap, options.prefix, outbox, documents, writer, place=place, metrics=metrics, fresh=fresh
    )


async def dispatch(options: argparse.Namespace, env: Mapping[str, str], vault: Vault, stop: asyncio.Event) -> None:
    """Dispatch, or stand by, until `stop` is set. Raises LinkSecretError, MetricsError."""
    metrics = DispatcherMetrics()
    async with httpx.AsyncClient(timeout=TIMEOUT_S) as http:
        with served(metrics, options.metrics):
            fresh = True
            while not stop.is_set():
                await build(options, env, http, vault, metrics, fresh=fresh).run(stop)
                fresh = False


@contextmanager
def served(metrics: DispatcherMetrics, place: str) -> Iterator[None]:
    """Metrics for Prometheus at HOST:PORT, or PORT of this machine alone; "" for nowhere. Raises MetricsError."""
    if not place:
        yield
        return
    host, _, port = place.rpartition(":")
    try:
        server, thread = start_http_server(int(port), host or "127.0.0.1", metrics.registry)
    except OSError as error:
        raise MetricsError(f"metrics can't be served at {place}, name another place: {error}") from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def until_told(options: argparse.Namespace, env: Mapping[str, str], vault: Vault) -> None:
    """Dispatch until SIGTERM or SIGINT. Raises LinkSecretError."""
    stop = asyncio.Event()
    # Names are looked up in these threads, eight a channel at most: one without an answer must not hold up others.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, "dispatcher"))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await dispatch(options, env, vault, stop)


def arguments(argv: Sequence[str] | None, env: Mapping[str, str]) -> argparse.Namespace:
    """The options, from the command line or else from variables."""
    parser = argparse.ArgumentParser(prog="jobs.dispatcher", description="Sends notifications to people.")
    parser.add_argument("--bootstrap", required=True, metavar="HOST:PORT")
    parser.add_argument("--prefix", default="daymark.", help="what the topics' names begin with (default: %(default)s)")
    parser.add_argument("--home", default=env.get("DAYMARK_HOME", ".daymark"), help="where link.secret is")
    parser.add_argument(
        "--public-url",
        default=env.get("DAYMARK_PUBLIC_URL", PUBLIC_URL),
        help="where people reach Daymark: what links in messages begin with (default: %(default)s)",
    )
    parser.add_argument(
        "--metrics",
        default=env.get("DAYMARK_DISPATCHER_METRICS", ""),
        type=_place,
        metavar="[HOST:]PORT",
        help="serve metrics for Prometheus there (default: nowhere; without HOST on this machine alone)",
    )
    parser.add_argument("--test", metavar="CHANNEL", help="have the running dispatcher try a channel")
    parser.add_argument("--address", default="", help="with --test: whom to send to, where the channel has no `to`")
    return parser.parse_args(argv)


def _place(text: str) -> str:
    if text and not text.rpartition(":")[2].isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is neither PORT nor HOST:PORT")
    return text


def main(argv: Sequence[str] | None = None) -> int:
    """Dispatch, or with --test try a channel: 0 if it was sent, 1 with a sentence on standard error if not."""
    options = arguments(argv, os.environ)
    vault = Vault(os.environ)
    logs.configure("dispatcher")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would tell the address of each request
    for handler in logging.getLogger().handlers:
        handler.addFilter(HidingFilter(vault))
    try:
        if options.test:
            return try_channel(options.bootstrap, options.prefix, options.test, options.address)
        asyncio.run(until_told(options, os.environ, vault))
    except (LinkSecretError, MetricsError) as error:
        print(f"jobs.dispatcher: {error}", file=sys.stderr)
        return 1
    except KafkaError as error:
        print(f"jobs.dispatcher: Kafka at {options.bootstrap} can't be used: {error!r}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
