"""Which route needs what: one table. A route that isn't in it is closed, and a test fails until it is.

`None` is for everybody, signed in or not; otherwise an action of api/access/roles.py. A route whose path has
`{workflow}` is about that one.
"""

from __future__ import annotations

from api.access.roles import Permissions, Subject

MATRIX: dict[tuple[str, str], str | None] = {
    # for machines that watch, and for signing in
    ("GET", "/healthz"): None,
    ("GET", "/readyz"): None,
    ("GET", "/metrics"): "read",
    ("GET", "/login"): None,
    ("POST", "/login"): None,
    ("GET", "/login/oidc"): None,
    ("GET", "/login/oidc/back"): None,
    ("GET", "/welcome/{code}"): None,
    ("POST", "/welcome/{code}"): None,
    ("POST", "/logout"): None,
    # for customers: only what the status page lists (api/status)
    ("GET", "/status"): None,
    ("GET", "/status/badge/{component}.svg"): None,
    ("GET", "/api/v1/public/status"): None,
    ("GET", "/api/v1/public/customers/{token}"): None,  # the token says whose figures
    ("GET", "/status/customers/{token}.svg"): None,
    # pages
    ("GET", "/"): "read",
    ("GET", "/fragments/overview"): "read",
    ("GET", "/items/{workflow}/{key:key}"): "read",
    ("GET", "/live/overview"): "read",
    ("GET", "/wall"): "read",
    ("GET", "/fragments/wall"): "read",
    ("GET", "/live/wall"): "read",
    ("GET", "/items"): "read",
    ("GET", "/fragments/items/{workflow}/{key:key}"): "read",
    ("GET", "/live/items/{workflow}/{key:key}"): "read",
    ("GET", "/map"): "read",
    ("GET", "/fragments/map"): "read",
    ("GET", "/live/map"): "read",
    ("GET", "/steps"): "read",
    ("GET", "/fragments/steps"): "read",
    ("GET", "/live/steps"): "read",
    ("GET", "/events"): "read",
    ("GET", "/dead-letters"): "read",
    ("GET", "/alerts"): "read",
    ("GET", "/fragments/alerts"): "read",
    ("GET", "/live/alerts"): "read",
    ("GET", "/alerts/{id}"): "read",
    ("GET", "/fragments/alerts/{id}"): "read",
    ("GET", "/live/alerts/{id}"): "read",
    ("GET", "/incidents"): "read",
    ("GET", "/incidents/{id}"): "read",
    ("GET", "/rules"): "read",
    ("GET", "/new-rule"): "rules",
    ("POST", "/new-rule"): "rules",
    ("GET", "/rules/{workflow}"): "read",
    ("POST", "/rules/{workflow}"): "rules",
    ("POST", "/fragments/rules/check"): "read",
    ("GET", "/rules/{workflow}/simulations/{id}"): "rules",
    ("GET", "/fragments/rules/{workflow}/simulations/{id}"): "rules",
    ("GET", "/api/v1/schemas/workflow"): "read",
    ("GET", "/docs"): "read",
    ("GET", "/api/v1/openapi.json"): "read",
    ("GET", "/account"): "self",
    ("POST", "/account/password"): "self",
    ("POST", "/account/sign-out-everywhere"): "self",
    ("GET", "/account/tokens"): "self",
    ("POST", "/account/tokens"): "self",
    ("POST", "/account/tokens/{number}/revoke"): "self",
    ("GET", "/users"): "manage",
    ("POST", "/users"): "manage",
    ("GET", "/audit"): "audit",
    # what happened
    ("GET", "/api/v1/workflows"): "read",
    ("GET", "/api/v1/workflows/{workflow}/steps"): "read",
    ("GET", "/api/v1/workflows/{workflow}/steps/{step}"): "read",
    ("GET", "/api/v1/workflows/{workflow}/map"): "read",
    ("GET", "/api/v1/workflows/{workflow}/trends"): "read",
    ("GET", "/api/v1/anomalies"): "read",
    ("GET", "/api/v1/overview"): "read",
    ("GET", "/api/v1/slo"): "read",
    ("GET", "/customers"): "read",
    ("GET", "/customers/{group}/{value:key}"): "read",
    ("GET", "/api/v1/customers/{group}/{value:key}"): "read",
    ("GET", "/api/v1/customers/{group}/{value:key}/links"): "manage",
    ("POST", "/api/v1/customers/{group}/{value:key}/links"): "manage",
    ("POST", "/api/v1/customers/{group}/{value:key}/links/{id}/rotation"): "manage",
    ("DELETE", "/api/v1/customers/{group}/{value:key}/links/{id}"): "manage",
    ("GET", "/api/v1/search"): "read",
    ("GET", "/api/v1/lanes"): "read",
    ("GET", "/api/v1/items"): "read",
    ("GET", "/api/v1/items/{workflow}/{key:key}"): "read",
    ("GET", "/api/v1/findings"): "read",
    ("GET", "/api/v1/findings/counts"): "read",
    ("GET", "/api/v1/events"): "read",
    ("GET", "/api/v1/events/histogram"): "read",
    ("GET", "/api/v1/events/patterns"): "read",
    ("GET", "/api/v1/events/export"): "read",
    ("GET", "/api/v1/dead-letters"): "read",
    ("POST", "/api/v1/dead-letters/retry"): "events",
    ("POST", "/api/v1/events"): "events",
    # rules
    ("GET", "/api/v1/rules"): "read",
    ("POST", "/api/v1/rules/validate"): "read",
    ("GET", "/api/v1/rules/{workflow}"): "read",
    ("GET", "/api/v1/rules/{workflow}/versions"): "read",
    ("GET", "/api/v1/rules/{workflow}/versions/{revision}"): "read",
    ("GET", "/api/v1/rules/{workflow}/diff"): "read",
    ("POST", "/api/v1/rules/{workflow}/enable"): "rules",
    ("POST", "/api/v1/rules/{workflow}/disable"): "rules",
    ("POST", "/api/v1/rules/{workflow}/rollback"): "rules",
    ("GET", "/api/v1/rules/{workflow}/draft"): "rules",
    ("POST", "/api/v1/rules/{workflow}/draft/approve"): "rules",
    ("DELETE", "/api/v1/rules/{workflow}/draft"): "rules",
    ("GET", "/api/v1/rules/{workflow}/pack"): "read",
    ("POST", "/api/v1/rules/{workflow}/simulations"): "rules",
    ("GET", "/api/v1/rules/{workflow}/simulations/{id}"): "rules",
    ("DELETE", "/api/v1/rules/{workflow}/simulations/{id}"): "rules",
    ("PUT", "/api/v1/rules/{workflow}"): "rules",
    ("DELETE", "/api/v1/rules/{workflow}"): "rules",
    # alerts. Somebody limited sees their own, and may not ask for what is of all tenants at once (`survey`)
    ("GET", "/api/v1/alerts"): "read",
    ("GET", "/api/v1/alerts/counts"): "read",
    ("GET", "/api/v1/alerts/{id}"): "read",
    ("GET", "/api/v1/alerts/{id}/log"): "read",
    ("GET", "/api/v1/alerts/live"): "read",
    ("GET", "/api/v1/deliveries"): "survey",
    ("GET", "/api/v1/channels"): "survey",
    ("GET", "/api/v1/incidents"): "read",
    ("GET", "/api/v1/incidents/{id}"): "read",
    ("GET", "/api/v1/incidents/{id}/post-mortem"): "read",
    ("POST", "/api/v1/alerts/actions"): "act",
    ("POST", "/api/v1/alerts/{id}/{kind}"): "act",
    ("GET", "/api/v1/actions/{id}"): "act",
    ("POST", "/api/v1/incidents/{id}/note"): "act",
    ("POST", "/api/v1/incidents/{id}/resolve"): "act",
    ("POST", "/api/v1/incidents/{id}/merge"): "act",
    ("POST", "/api/v1/deliveries/{id}/retry"): "act",
    ("GET", "/ack/{token:path}"): None,
    ("POST", "/ack/{token:path}"): None,
    # who is told
    ("GET", "/api/v1/alerting"): "survey",
    ("GET", "/api/v1/alerting/{kind}"): "survey",
    ("GET", "/api/v1/alerting/{kind}/{name}"): "survey",
    ("GET", "/api/v1/alerting/{kind}/{name}/versions"): "survey",
    ("GET", "/api/v1/alerting/channel/{name}/preview"): "survey",
    ("GET", "/api/v1/on-call"): "survey",
    ("GET", "/api/v1/on-call/{schedule}"): "survey",
    ("GET", "/api/v1/windows"): "survey",
    ("POST", "/api/v1/alerting/explain"): "survey",
    ("POST", "/api/v1/alerting/preview"): "survey",
    ("POST", "/api/v1/alerting/channel/{name}/test"): "rules",
    ("PUT", "/api/v1/alerting"): "rules",
    ("PUT", "/api/v1/alerting/{kind}/{name}"): "act",  # of all but silences and windows the route asks for `rules`
    ("DELETE", "/api/v1/alerting/{kind}/{name}"): "act",
    # the same for clients of an Alertmanager
    ("GET", "/api/v2/alerts"): "read",
    ("GET", "/api/v2/alerts/groups"): "read",
    ("POST", "/api/v2/alerts"): "events",
    ("GET", "/api/v2/status"): "survey",
    ("GET", "/api/v2/receivers"): "survey",
    ("GET", "/api/v2/silences"): "survey",
    ("GET", "/api/v2/silence/{id}"): "survey",
    ("POST", "/api/v2/silences"): "act",
    ("DELETE", "/api/v2/silence/{id}"): "act",
    # rules
    ("POST", "/api/v1/packs"): "rules",
    # who
    ("GET", "/api/v1/me"): "read",
    ("POST", "/api/v1/me/password"): "self",
    ("DELETE", "/api/v1/me/sessions"): "self",
    ("GET", "/api/v1/tokens"): "self",
    ("POST", "/api/v1/tokens"): "self",
    ("DELETE", "/api/v1/tokens/{number}"): "self",
    ("GET", "/api/v1/users"): "manage",
    ("PUT", "/api/v1/users/{name}"): "manage",
    ("DELETE", "/api/v1/users/{name}"): "manage",
    ("POST", "/api/v1/sign-in-links"): "manage",
    ("GET", "/api/v1/audit"): "audit",
    ("GET", "/api/v1/audit/verification"): "audit",
    ("GET", "/api/v1/erasures"): "erase",
    ("POST", "/api/v1/erasures"): "erase",
}

CLOSED = "closed"

WITHIN = frozenset(
    {
        ("POST", "/api/v1/alerts/actions"),
        ("POST", "/api/v1/alerts/{id}/{kind}"),
        ("GET", "/api/v1/actions/{id}"),
        ("POST", "/api/v1/incidents/{id}/note"),
        ("POST", "/api/v1/incidents/{id}/resolve"),
        ("POST", "/api/v1/incidents/{id}/merge"),
        ("GET", "/api/v1/alerting/{kind}"),
        ("GET", "/api/v1/alerting/{kind}/{name}"),
        ("PUT", "/api/v1/alerting/{kind}/{name}"),
        ("DELETE", "/api/v1/alerting/{kind}/{name}"),
        ("GET", "/api/v2/silences"),
        ("GET", "/api/v2/silence/{id}"),
        ("POST", "/api/v2/silences"),
        ("DELETE", "/api/v2/silence/{id}"),
        ("POST", "/api/v2/alerts"),
    }
)
"""Routes that are open to somebody with limits, since they see to these themselves: alerts and incidents are looked up
as one who reads them does, and what is outside is not there (`api.actions`, `api.ownincidents`); silences are kept
within (`api.access.within`), and other documents closed; labels of others' alerts say whose they are."""


def needed(method: str, path: str) -> str | None:
    """What a route (its template) needs: an action, None if it is for everybody, CLOSED if it isn't in the table."""
    return MATRIX.get(("GET" if method == "HEAD" else method, path), CLOSED)


def allowed(permissions: Permissions, method: str, path: str, workflow: str = "") -> bool:
    """Whether somebody may ask for a route; `workflow` is the one that its path names."""
    action = needed(method, path)
    if action is None or action == CLOSED:
        return action is None
    if (method, path) in WITHIN:
        return action in permissions.actions
    if action in ("read", "self") or not workflow:
        return permissions.may(action)
    return permissions.may(action, Subject(workflow))
