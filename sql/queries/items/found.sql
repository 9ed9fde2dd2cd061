-- Items that have an event with this key, whichever of their keys it is: those whose own key it is, and those that the event's step belongs to.
WITH
    heard AS
    (
        SELECT lane, time_ms, source, id
        FROM events
        WHERE key = {key:String} AND ({lane:String} = '' OR lane = {lane:String})
        ORDER BY time_ms DESC
        LIMIT 200
    ),
    led AS
    (
        SELECT DISTINCT lane, workflow, key
        FROM transitions
        WHERE day IN (SELECT toInt32(intDiv(time_ms, 86400000)) FROM heard)
          AND (lane, at_ms, source, event_id) IN (SELECT lane, time_ms, source, id FROM heard)
    )
SELECT lane, workflow, key, run_ms, status, step, started_ms, updated_ms, missing, late, other, overdue, next_due_ms, groups, amount
FROM items FINAL
WHERE ({lane:String} = '' OR lane = {lane:String})
  AND (lane, workflow, key) IN
  (
      SELECT lane, workflow, key FROM led
      UNION ALL
      SELECT DISTINCT lane, workflow, {key:String} AS key FROM items -- so that the table's own order finds it
  )
ORDER BY updated_ms DESC, lane, workflow, key, run_ms
LIMIT {limit:UInt32}
