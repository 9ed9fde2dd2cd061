"""Roles, what each may do, and the limits that leave a person some workflows or groups only. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ACTIONS = {
    "read": "see workflows, items, findings, events and alerts",
    "survey": "see what is everybody's at once: alerting documents, who is on call, incidents, alerts as they change",
    "events": "post events",
    "act": "act on alerts and incidents",
    "rules": "put rules and alerting documents in force, and withdraw them",
    "audit": "read who changed what",
    "manage": "users, and everybody's tokens",
    "erase": "erase what is known of a person",
    "self": "one's own password, sessions and tokens",
}
"""Everything that may be allowed. A token's scopes are these, but for `self`, which is a person's own."""

ROLES: dict[str, frozenset[str]] = {
    "viewer": frozenset({"read", "survey", "self"}),
    "operator": frozenset({"read", "survey", "self", "events", "act"}),
    "editor": frozenset({"read", "survey", "self", "events", "act", "rules"}),
    "admin": frozenset(ACTIONS),
}
"""What each role may do. Each may do all that the one before it may."""

SCOPES = tuple(name for name in ACTIONS if name != "self")


@dataclass(frozen=True)
class Subject:
    """What something is done to: a workflow, and the groups that are known of it."""

    workflow: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """The workflows, and the values of each group, that somebody is limited to. None, or a group left out: no limit."""

    workflows: frozenset[str] | None = None
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.workflows is not None or bool(self.groups)

    def allow(self, subject: Subject) -> bool:
        """Whether a subject is inside. What has no value for a limited group is outside."""
        if self.workflows is not None and subject.workflow not in self.workflows:
            return False
        return all(subject.groups.get(name) in values for name, values in self.groups.items())

    def narrowed(self, other: Limits) -> Limits:
        """What is inside of both."""
        workflows = self.workflows if other.workflows is None else other.workflows
        if self.workflows is not None and other.workflows is not None:
            workflows = self.workflows & other.workflows
        groups = dict(self.groups)
        for name, values in other.groups.items():
            groups[name] = groups[name] & values if name in groups else values
        return Limits(workflows, groups)

    def as_json(self) -> dict[str, Any]:
        """{"workflows": [...] or null, "groups": {name: [...]}}, in a fixed order."""
        workflows = None if self.workflows is None else sorted(self.workflows)
        return {"workflows": workflows, "groups": {name: sorted(self.groups[name]) for name in sorted(self.groups)}}

    @classmethod
    def of(cls, document: Mapping[str, Any] | None) -> Limits:
        """The limits that `as_json` wrote."""
        if not document:
            return cls()
        workflows = document.get("workflows")
        groups = {name: frozenset(values) for name, values in (document.get("groups") or {}).items()}
        return cls(None if workflows is None else frozenset(workflows), groups)


UNLIMITED = Limits()
NOTHING = Limits(frozenset())
"""Of whom nobody has said yet what they may see."""


@dataclass(frozen=True)
class Permissions:
    """What somebody may do, and within which limits."""

    actions: frozenset[str] = frozenset()
    limits: Limits = UNLIMITED

    def may(self, action: str, subject: Subject | None = None) -> bool:
        """Whether an action is allowed, on `subject` if there is one.

        Reading is allowed without a subject, since the limits filter what is read. Whatever else somebody with limits
        does needs a subject inside of them: without one it would be done to everybody's.
        """
        if action not in self.actions:
            return False
        if not self.limits or action in ("read", "self"):
            return subject is None or self.limits.allow(subject)
        return subject is not None and self.limits.allow(subject)


EVERYTHING = Permissions(ROLES["admin"])


def of_role(role: str, limits: Limits) -> Permissions:
    """What a user may do. A role that isn't known may do nothing."""
    return Permissions(ROLES.get(role, frozenset()), limits)


def of_token(scopes: frozenset[str], limits: Limits, owner: Permissions) -> Permissions:
    """What a token may do: never more than its owner may now."""
    return Permissions((owner.actions & scopes) - {"self"}, owner.limits.narrowed(limits))
