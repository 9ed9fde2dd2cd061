-- One page of the items that have an event with this key, whichever of their keys it is, the latest news first: those whose own key it is, and
-- those that a step of one of its latest thousand events belongs to.
WITH
    heard AS
    (
        SELECT lane, time_ms, source, id
        FROM events
        WHERE key = {key:String} AND ({lane:String} = '' OR lane = {lane:String})
        ORDER BY time_ms DESC
        LIMIT 1000
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
  AND ({resumed:UInt8} = 0
       OR (updated_ms, lane, workflow, key, run_ms)
          < ({after_place:Int64}, {after_lane:String}, {after_workflow:String}, {after_key:String}, {after_run:Int64}))
ORDER BY updated_ms DESC, lane DESC, workflow DESC, key DESC, run_ms DESC
LIMIT {limit:UInt32}
