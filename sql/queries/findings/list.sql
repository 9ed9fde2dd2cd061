-- One page of findings, the newest first. The inner query finds their ids reading few columns, the outer one fetches the rows.
WITH page AS
(
    SELECT lane, deadline_ms, id
    FROM findings FINAL
    WHERE ({lane:String} = '' OR lane = {lane:String})
      AND deadline_ms >= {since_ms:Int64} AND deadline_ms < {until_ms:Int64}
      AND ({workflow:String} = '' OR workflow = {workflow:String})
      AND ({kind:String} = '' OR kind = {kind:String})
      AND ({rule:String} = '' OR rule = {rule:String})
      AND ({severity:String} = '' OR severity = {severity:String})
      AND ({step:String} = '' OR step = {step:String})
      AND ({key:String} = '' OR key = {key:String})
      AND ({group_name:String} = '' OR groups[{group_name:String}] = {group_value:String})
      AND ({resumed:UInt8} = 0 OR (deadline_ms, lane, id) < ({after_ms:Int64}, {after_lane:String}, {after_id:String}))
    ORDER BY deadline_ms DESC, lane DESC, id DESC
    LIMIT {limit:UInt32}
)
SELECT
    id, lane, workflow, version, rule_hash, rule, kind, severity, key, groups, step, because, occurrence,
    deadline_ms, at_ms, delta_ms, since_ms, event_id, received_ms, runbook, amount
FROM findings FINAL
WHERE (lane, deadline_ms, id) IN (SELECT lane, deadline_ms, id FROM page)
ORDER BY deadline_ms DESC, lane DESC, id DESC
