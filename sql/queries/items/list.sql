-- One page of items, each run of a key a row. The inner query finds their identities reading few columns, the outer one fetches the rows.
WITH page AS
(
    SELECT
        multiIf({sort:String} = 'started', started_ms,
                {sort:String} = 'due', -ifNull(next_due_ms, 9007199254740991),
                updated_ms) AS place,
        lane, workflow, key, run_ms
    FROM items FINAL
    WHERE ({workflow:String} = '' OR workflow = {workflow:String})
      AND ({lane:String} = '' OR lane = {lane:String})
      AND startsWith(key, {key_prefix:String})
      AND ({status:String} = '' OR status = {status:String})
      AND ({step:String} = '' OR step = {step:String})
      AND ({group_name:String} = '' OR groups[{group_name:String}] = {group_value:String})
      AND ({has_findings:Int8} < 0 OR (missing + late + other > 0) = {has_findings:Int8})
      AND ({resumed:UInt8} = 0
           OR (place, lane, workflow, key, run_ms)
              < ({after_place:Int64}, {after_lane:String}, {after_workflow:String}, {after_key:String}, {after_run:Int64}))
    ORDER BY place DESC, lane DESC, workflow DESC, key DESC, run_ms DESC
    LIMIT {limit:UInt32}
)
SELECT
    multiIf({sort:String} = 'started', started_ms,
            {sort:String} = 'due', -ifNull(next_due_ms, 9007199254740991),
            updated_ms) AS place,
    lane, workflow, version, rule_hash, key, run_ms, status, step, started_ms, updated_ms, ended_ms, events,
    missing, late, other, overdue, next_due_ms, pending, groups, amount, reason, rev
FROM items FINAL
WHERE (lane, workflow, key, run_ms) IN (SELECT lane, workflow, key, run_ms FROM page)
ORDER BY place DESC, lane DESC, workflow DESC, key DESC, run_ms DESC
