"""Certificate files: whether a server can use them, and how its own machine's programs know it by them."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

CERT, KEY = "DAYMARK_TLS_CERT", "DAYMARK_TLS_KEY"
END = "-----END CERTIFICATE-----"


class TlsError(Exception):
    """Certificate files that no server can use; the text says which, and why."""


def usable(cert: Path, key: Path) -> None:
    """Raise TlsError unless the files are a certificate and its key, not encrypted."""
    for name, file in ((CERT, cert), (KEY, key)):
        try:
            file.open("rb").close()
        except OSError as error:
            raise TlsError(f"{name}: {file} can't be read: {error.strerror}.") from None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password=lambda: "")
    except (ssl.SSLError, ValueError) as error:
        what = getattr(error, "reason", None) or str(error)
        detail = "give PEM files of a certificate (with its chain) and of its own key, without a password"
        raise TlsError(f"{CERT}={cert} and {KEY}={key} can't be used ({what}): {detail}.") from None


def named_in(env: Mapping[str, str]) -> tuple[Path, Path] | None:
    """The files that an environment names, as whole paths; None where it names none. Raises TlsError."""
    cert, key = env.get(CERT, ""), env.get(KEY, "")
    if not cert and not key:
        return None
    if not cert or not key:
        raise TlsError(f"{CERT} and {KEY} belong together; one of them is not set.")
    found = Path(cert).absolute(), Path(key).absolute()
    usable(*found)
    return found


def trusting(cert: str) -> ssl.SSLContext | bool:
    """What httpx takes as `verify` for the server of this machine: its very certificate, whoever signed it and whatever
    name it bears, and no other. '' is a server without one."""
    if not cert:
        return True
    own, end, _ = Path(cert).read_text().partition(END)
    context = ssl.create_default_context(cadata=own + end)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.check_hostname = False
    return context
