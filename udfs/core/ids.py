"""Deterministic identities: the same facts give the same id, in every run, so that a replay overwrites."""

from __future__ import annotations

from hashlib import blake2b

SEPARATOR = "\x1f"


def finding_id(
    lane: str, workflow: str, rule_hash: str, rule: str, kind: str, key: str, occurrence: str, deadline: int
) -> str:
    """32 hex digits over what makes a finding the one it is. `deadline` is epoch ms."""
    facts = SEPARATOR.join((lane, workflow, rule_hash, rule, kind, key, occurrence, str(deadline)))
    return blake2b(facts.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def digest(*facts: str) -> str:
    """32 hex digits over some facts."""
    return blake2b(SEPARATOR.join(facts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
