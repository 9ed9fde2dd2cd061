-- The steps of an item's run, in event time.
SELECT event_id, source, event_type, step, previous, at_ms, previous_at_ms, duration_ms, queue_ms, work_ms, version
FROM transitions FINAL
WHERE lane = {lane:String} AND workflow = {workflow:String} AND key = {key:String}
  AND at_ms >= {from_ms:Int64} AND at_ms < {until_ms:Int64}
ORDER BY at_ms, source, event_id
LIMIT 2000
