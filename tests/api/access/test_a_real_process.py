"""The serving process as it is started: https with a certificate, the first admin's link, the command line's token."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from ssl import create_default_context

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typer.testing import CliRunner

from api.cli import app
from api.commands.run import first_link
from api.stack import ports
from api.stack.home import VARIABLE, Home, State, running
from tests.kafka_help import eventually

pytestmark = pytest.mark.real


@contextmanager
def serving(home: Path, port: int, **settings: str) -> Iterator[None]:
    """The serving process with these settings, until the end."""
    env = {**os.environ, "DAYMARK_HOME": str(home), "DAYMARK_PORT": str(port), "DAYMARK_SIGN_IN": "required"}
    env |= {"DAYMARK_LOADER": "false", "DAYMARK_KAFKA": "127.0.0.1:1", **settings}
    with subprocess.Popen([sys.executable, "-m", "api.main"], env=env, stderr=subprocess.DEVNULL) as process:
        try:
            eventually(lambda: ports.answers(port))
            yield
        finally:
            process.terminate()
            process.wait(30)


def certificate(folder: Path, address: str = "127.0.0.1") -> tuple[Path, Path]:
    """A certificate for an address and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "daymark test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), False)
        .add_extension(x509.BasicConstraints(True, 0), True)
        .sign(key, hashes.SHA256())
    )
    cert, secret = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return cert, secret


def test_https_by_certificate_files_makes_cookies_secure(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    port, token = ports.free(), "a-token-of-some-length"
    with (
        serving(tmp_path, port, DAYMARK_TLS_CERT=str(cert), DAYMARK_TLS_KEY=str(key), DAYMARK_API_TOKEN=token),
        httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=create_default_context(cafile=str(cert))) as browser,
    ):
        answer = browser.post("/login", data={"token": token})
        assert answer.status_code == 303
        assert "Secure" in answer.headers["set-cookie"]
        assert "max-age" in answer.headers["strict-transport-security"]
        assert browser.get("/api/v1/me").json()["name"] == "api-token"


def test_the_first_start_has_a_link_and_the_command_line_needs_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    monkeypatch.delenv("DAYMARK_API_TOKEN", raising=False)
    port = ports.free()
    state = State(running(os.getpid()), time.time(), ready=True, ports={"http": port})
    (tmp_path / "run").mkdir()
    Home().write(state)
    with serving(tmp_path, port), httpx.Client(base_url=state.url, follow_redirects=True) as browser:
        assert httpx.get(f"{state.url}/api/v1/lanes").status_code == 401
        link = first_link(state)
        assert "<button" in browser.get(link).text
        assert browser.post(link).status_code == 200
        assert browser.get("/api/v1/me").json()["name"] == "admin"
        told = CliRunner().invoke(app, ["audit", "verify"])
        assert told.exit_code == 0
        assert "none changed" in told.output
        assert "/welcome/" in CliRunner().invoke(app, ["users", "link"]).output
        assert "admin" in CliRunner().invoke(app, ["users", "list"]).output
