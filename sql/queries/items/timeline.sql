-- An item's steps in event time.
SELECT event_id, source, event_type, step, previous, at_ms, previous_at_ms, duration_ms, queue_ms, work_ms, version
FROM transitions FINAL
WHERE lane = {lane:String} AND workflow = {workflow:String} AND key = {key:String}
ORDER BY at_ms, source, event_id
LIMIT 2000
