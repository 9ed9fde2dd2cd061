-- The alerts of an incident, its cause first.
SELECT
    id, lane, workflow, rule, kind, severity, key, groups, step, because, occurrence, date, state, level, episode, count,
    breach_ms, opened_ms, changed_ms, ended_ms, delta_ms, finding, assignee, acked_by, acked_ms, ack_until_ms, respond_by_ms, answered_ms,
    suppressed_by, suppressed_until_ms, explained_by, hidden, incident, route, team, escalation, next_ms, amount, runbook, excused, summary, rev
FROM alerts FINAL
WHERE incident = {id:String} OR id = {cause:String}
ORDER BY id = {cause:String} DESC, opened_ms, id
LIMIT {limit:UInt32}
