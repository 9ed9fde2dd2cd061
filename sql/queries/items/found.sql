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
        SELECT lane, workflow, key
        FROM transitions
        WHERE (lane, at_ms, source, event_id) IN (SELECT lane, time_ms, source, id FROM heard)
        UNION DISTINCT
        SELECT lane, workflow, key
        FROM items
        WHERE key = {key:String} AND ({lane:String} = '' OR lane = {lane:String})
    )
SELECT lane, workflow, key, run_ms, status, step, started_ms, updated_ms, missing, late, other, overdue, next_due_ms, groups, amount
FROM items FINAL
WHERE (lane, workflow, key) IN (SELECT lane, workflow, key FROM led)
ORDER BY updated_ms DESC, lane, workflow, key, run_ms
LIMIT {limit:UInt32}
