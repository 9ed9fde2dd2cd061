"""The made-up alert of which a test message speaks."""

from __future__ import annotations

from jobs.dispatch.records import Notify, Test


def sample_notice(test: Test) -> Notify:
    """A notice for the channel under test; it is about no alert, so nothing can halt it."""
    alert = {
        "lane": "test",
        "workflow": "daily_feeds",
        "rule": "by_eight",
        "kind": "missing",
        "severity": "low",
        "key": "EXAMPLE_FEED",
        "step": "received",
        "state": "open",
        "episode": 1,
        "breach_ms": test.at_ms,
        "opened_ms": test.at_ms,
        "summary": "EXAMPLE_FEED has not been received (this is a test)",
    }
    return Notify(
        id=test.id,
        channel=test.channel,
        reason="test",
        at_ms=test.at_ms,
        lane="test",
        title=f"Test of channel {test.channel}" + (f", sent by {test.who}" if test.who else ""),
        alerts=[alert],
        count=1,
        person=test.person,
        address=test.address,
        dedup_key=f"daymark-test-{test.id}",
    )
