-- One page of items. The inner query finds their keys reading few columns, the outer one fetches the rows.
WITH page AS
(
    SELECT
        multiIf({sort:String} = 'started', started_ms,
                {sort:String} = 'due', -ifNull(next_due_ms, 9007199254740991),
                updated_ms) AS place,
        lane, workflow, key
    FROM items FINAL
    WHERE ({workflow:String} = '' OR workflow = {workflow:String})
      AND ({lane:String} = '' OR lane = {lane:String})
      AND startsWith(key, {key_prefix:String})
      AND ({status:String} = '' OR status = {status:String})
      AND ({step:String} = '' OR step = {step:String})
      AND ({group_name:String} = '' OR groups[{group_name:String}] = {group_value:String})
      AND ({has_findings:Int8} < 0 OR (missing + late + other > 0) = {has_findings:Int8})
      AND ({resumed:UInt8} = 0
           OR (place, lane, workflow, key) < ({after_place:Int64}, {after_lane:String}, {after_workflow:String}, {after_key:String}))
    ORDER BY place DESC, lane DESC, workflow DESC, key DESC
    LIMIT {limit:UInt32}
)
SELECT
    multiIf({sort:String} = 'started', started_ms,
            {sort:String} = 'due', -ifNull(next_due_ms, 9007199254740991),
            updated_ms) AS place,
    lane, workflow, version, rule_hash, key, status, step, started_ms, updated_ms, ended_ms, events,
    missing, late, other, next_due_ms, pending, groups, amount, rev
FROM items FINAL
WHERE (lane, workflow, key) IN (SELECT lane, workflow, key FROM page)
ORDER BY place DESC, lane DESC, workflow DESC, key DESC
