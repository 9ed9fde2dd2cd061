-- One page of alerts, by when they opened or last changed, or the gravest first. The inner query reads few columns.
WITH page AS
(
    SELECT
        toInt64(multiIf({sort:String} = 'changed', changed_ms,
                {sort:String} = 'severity', indexOf(['low', 'medium', 'high', 'critical'], severity) * 100000000000000 + opened_ms,
                opened_ms)) AS place,
        id
    FROM alerts FINAL
    WHERE (empty({states:Array(String)}) OR has({states:Array(String)}, state))
      AND ({lane:String} = '' OR lane = {lane:String})
      AND ({workflow:String} = '' OR workflow = {workflow:String})
      AND ({rule:String} = '' OR rule = {rule:String})
      AND ({kind:String} = '' OR kind = {kind:String})
      AND ({severity:String} = '' OR severity = {severity:String})
      AND ({step:String} = '' OR step = {step:String})
      AND ({key:String} = '' OR key = {key:String})
      AND ({team:String} = '' OR team = {team:String})
      AND ({assignee:String} = '' OR assignee = {assignee:String})
      AND ({incident:String} = '' OR incident = {incident:String})
      AND ({explained_by:String} = '' OR explained_by = {explained_by:String})
      AND ({group_name:String} = '' OR groups[{group_name:String}] = {group_value:String})
      AND opened_ms >= {since_ms:Int64} AND opened_ms < {until_ms:Int64}
      AND ({resumed:UInt8} = 0 OR (place, id) < ({after_place:Int64}, {after_id:String}))
    ORDER BY place DESC, id DESC
    LIMIT {limit:UInt32}
)
SELECT
    toInt64(multiIf({sort:String} = 'changed', changed_ms,
                {sort:String} = 'severity', indexOf(['low', 'medium', 'high', 'critical'], severity) * 100000000000000 + opened_ms,
                opened_ms)) AS place,
    id, lane, workflow, rule, kind, severity, key, groups, step, because, occurrence, date, state, level, episode, count,
    breach_ms, opened_ms, changed_ms, ended_ms, delta_ms, finding, assignee, acked_by, acked_ms, ack_until_ms, suppressed_by,
    suppressed_until_ms, explained_by, hidden, incident, route, team, escalation, next_ms, amount, runbook, excused, summary, rev
FROM alerts FINAL
WHERE id IN (SELECT id FROM page)
ORDER BY place DESC, id DESC
