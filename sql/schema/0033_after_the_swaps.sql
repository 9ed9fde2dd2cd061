-- What a loader in a process of its own put into the tables of old while they were copied (which is taken to be done within an hour). Then those go.
INSERT INTO items
    (lane, workflow, version, rule_hash, key, run_ms, status, step, started_ms, updated_ms, ended_ms, events, missing, late, other, overdue,
     next_due_ms, pending, groups, amount, rev, inserted_at, reason, forecast)
SELECT
    lane, workflow, version, rule_hash, key, run_ms, status, step, started_ms, updated_ms, ended_ms, events, missing, late, other, overdue,
    next_due_ms, pending, groups, amount, rev, inserted_at, reason, forecast
FROM items_by_day FINAL
WHERE inserted_at > now() - 3600
SETTINGS max_execution_time = 0;

INSERT INTO transitions
    (lane, workflow, version, key, event_id, source, event_type, step, previous, at_ms, previous_at_ms, duration_ms, queue_ms, work_ms,
     groups, inserted_at)
SELECT
    lane, workflow, version, key, event_id, source, event_type, step, previous, at_ms, previous_at_ms, duration_ms, queue_ms, work_ms,
    groups, inserted_at
FROM transitions_by_time FINAL
WHERE inserted_at > now() - 3600
SETTINGS max_execution_time = 0;

DROP TABLE IF EXISTS items_by_day;
DROP TABLE IF EXISTS transitions_by_time;
