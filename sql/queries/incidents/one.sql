-- One incident.
SELECT id, lane, state, priority, title, cause, evidence, opened_ms, resolved_ms, alerts, items, groups, value, note, note_ms, public, rev
FROM incidents FINAL
WHERE id = {id:String}
