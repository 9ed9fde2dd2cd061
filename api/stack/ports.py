"""Loopback ports: which are free, and who holds the ones that are not."""

from __future__ import annotations

import socket
from contextlib import closing

import psutil

from api.stack.errors import Exit, StackError

HOST = "127.0.0.1"


def free() -> int:
    """A port that nobody listens on at this moment."""
    with closing(socket.socket()) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now. Connections that are still closing do not count."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Whether something accepts connections on the port."""
    with closing(socket.socket()) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((HOST, port)) == 0


def holder(port: int) -> str:
    """Who listens on the port, in words; "another process" where the system does not tell."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
                if connection.pid is None:
                    break
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:
        pass
    return "another process"


def require(port: int, purpose: str, option: str) -> None:
    """Raise a StackError that names the port, its holder and the way out, unless the port is free."""
    if not is_free(port):
        raise StackError(
            f"Port {port} ({purpose}) is taken by {holder(port)}. Stop it, or choose another port with {option}.",
            Exit.PREREQUISITE,
        )
