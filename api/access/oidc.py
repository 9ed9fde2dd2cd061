"""Signing in at an OpenID provider: discovery, authorization code with PKCE, the identity token's signature and claims.

Four requests over httpx and joserfc for the signatures; docs/decisions/0021 says why no more.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from api.access.roles import NOTHING, ROLES, UNLIMITED, Limits
from api.settings import Settings

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
"""With a public key alone: `none`, and what is signed with a shared secret, is no identity token."""

PATIENCE_S = 10.0
LEEWAY_S = 60
KEPT_S = 3600.0
SCOPE = "openid profile email"
NAMES = ("preferred_username", "email", "sub")


class OidcError(Exception):
    """The provider can't be used, or what came back is not to be believed. The text may be shown."""


@dataclass(frozen=True)
class Person:
    """Somebody whom the provider vouches for. `subject` is theirs for ever, `name` may change."""

    subject: str
    name: str
    groups: tuple[str, ...]


class Oidc:
    """One provider. Its description and its keys are read when first needed, and again after an hour."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._roles = dict(pair.rsplit("=", 1) for pair in settings.oidc_roles)
        self._limits = [pair.split("=", 1) for pair in settings.oidc_limits]
        self._issuer = settings.oidc_issuer.rstrip("/")
        self._known: Mapping[str, Any] = {}
        self._keys: KeySet | None = None
        self._until = 0.0
        self._lock = threading.Lock()

    def begin(self, redirect: str) -> tuple[str, str, dict[str, str]]:
        """Where to send the browser, the state that must come back, and what must be remembered until then.

        Raises OidcError.
        """
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        parameters = {
            "response_type": "code",
            "client_id": self._settings.oidc_client,
            "redirect_uri": redirect,
            "scope": SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        there = self._described()["authorization_endpoint"]
        url = f"{there}{'&' if '?' in there else '?'}{urlencode(parameters)}"
        return url, state, {"nonce": nonce, "verifier": verifier, "redirect": redirect}

    def finish(self, code: str, held: Mapping[str, str]) -> Person:
        """Who came back with a code. Raises OidcError."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": held["redirect"]}
        form |= {"client_id": self._settings.oidc_client, "code_verifier": held["verifier"]}
        if self._settings.oidc_secret:
            form["client_secret"] = self._settings.oidc_secret
        answer = self._asked("POST", self._described()["token_endpoint"], form)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise OidcError("The provider gave no identity token.")
        return self._person(self._claims(token, held["nonce"]))

    def role(self, groups: Iterable[str]) -> str:
        """The best role that any of the groups gives; '' if none gives one."""
        given = {self._roles[group] for group in groups if group in self._roles}
        return max(given, key=list(ROLES).index, default="")

    def limits(self, groups: Collection[str]) -> Limits | None:
        """What all of the groups let somebody see together: nothing, if none says anything. None where no limits are
        set by groups here."""
        if not self._limits:
            return None
        given = {seen for group, seen in self._limits if group in groups}
        if "*" in given:
            return UNLIMITED
        pairs = [seen.split(":", 1) for seen in given]
        workflows = frozenset(value for kind, value in pairs if kind == "workflow")
        names = {kind for kind, _ in pairs if kind != "workflow"}
        found = {name: frozenset(value for kind, value in pairs if kind == name) for name in names}
        return Limits(workflows or None, found) if pairs else NOTHING

    def _claims(self, token: str, nonce: str) -> Mapping[str, Any]:
        wanted = {
            "iss": {"essential": True, "value": self._described()["issuer"]},
            "aud": {"essential": True, "value": self._settings.oidc_client},
            "sub": {"essential": True},
            "exp": {"essential": True},
            "nonce": {"essential": True, "value": nonce},
        }
        try:
            read = self._decoded(token)
            jwt.JWTClaimsRegistry(leeway=LEEWAY_S, **wanted).validate(read.claims)  # type: ignore[arg-type]
        except (JoseError, ValueError) as fault:
            raise OidcError(f"The provider's identity token can't be believed: {fault}") from fault
        audience = read.claims["aud"]
        if isinstance(audience, list) and len(audience) > 1 and read.claims.get("azp") != self._settings.oidc_client:
            raise OidcError("The provider's identity token was made for another client.")
        return read.claims

    def _decoded(self, token: str) -> jwt.Token:
        """A token whose signature is right; keys that changed in the meantime are read again, once."""
        try:
            return jwt.decode(token, self._key_set(), algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            with self._lock:
                self._keys = None
            return jwt.decode(token, self._key_set(), algorithms=ALGORITHMS)

    def _person(self, claims: Mapping[str, Any]) -> Person:
        names = [claims[name] for name in NAMES if isinstance(claims.get(name), str) and claims[name]]
        groups = claims.get(self._settings.oidc_groups, [])
        listed = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
        subject = f"{claims['iss']} {claims['sub']}"
        return Person(subject, names[0], tuple(group for group in listed if isinstance(group, str)))

    def _described(self) -> Mapping[str, Any]:
        with self._lock:
            if time.monotonic() >= self._until:
                known = self._asked("GET", f"{self._issuer}/.well-known/openid-configuration")
                missing = {"issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"} - known.keys()
                if missing or str(known.get("issuer")).rstrip("/") != self._issuer:
                    raise OidcError(f"The provider at {self._issuer} does not describe itself as that issuer.")
                self._known, self._keys, self._until = known, None, time.monotonic() + KEPT_S
            return self._known

    def _key_set(self) -> KeySet:
        place = self._described()["jwks_uri"]
        with self._lock:
            if self._keys is None:
                self._keys = KeySet.import_key_set(self._asked("GET", place))  # type: ignore[arg-type]
            return self._keys

    def _asked(self, method: str, url: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
        try:
            answer = httpx.request(method, url, data=form, timeout=PATIENCE_S, headers={"Accept": "application/json"})
            found = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as fault:
            raise OidcError(f"The OpenID provider at {self._issuer} does not answer as it should: {fault}") from fault
        if not isinstance(found, dict):
            raise OidcError(f"The OpenID provider at {self._issuer} does not answer as it should: no JSON object.")
        return found
