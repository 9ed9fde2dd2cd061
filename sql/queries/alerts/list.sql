-- One page of alerts, by when they opened or last changed, the gravest first, or those first that should be answered soonest. The inner query
-- reads few columns.
WITH page AS
(
    SELECT
        toInt64(multiIf({sort:String} = 'changed', changed_ms,
                {sort:String} = 'severity', indexOf(['low', 'medium', 'high', 'critical'], severity) * 100000000000000 + opened_ms,
                {sort:String} = 'respond_by',
                    if(isNull(answered_ms) AND isNull(ended_ms), -coalesce(respond_by_ms, 100000000000000), opened_ms - 300000000000000),
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
      AND ({response:String} = '' OR {response:String} = multiIf(
              isNull(respond_by_ms), '',
              isNotNull(answered_ms), if(answered_ms <= respond_by_ms, 'in_time', 'late'),
              coalesce(ended_ms, {now_ms:Int64}) <= respond_by_ms, if(isNull(ended_ms), 'waiting', ''),
              state IN ('open', 'escalated'), 'overdue',
              'late'))
      AND opened_ms >= {since_ms:Int64} AND opened_ms < {until_ms:Int64}
      AND ({resumed:UInt8} = 0 OR (place, id) < ({after_place:Int64}, {after_id:String}))
    ORDER BY place DESC, id DESC
    LIMIT {limit:UInt32}
)
SELECT
    toInt64(multiIf({sort:String} = 'changed', changed_ms,
                {sort:String} = 'severity', indexOf(['low', 'medium', 'high', 'critical'], severity) * 100000000000000 + opened_ms,
                {sort:String} = 'respond_by',
                    if(isNull(answered_ms) AND isNull(ended_ms), -coalesce(respond_by_ms, 100000000000000), opened_ms - 300000000000000),
                opened_ms)) AS place,
    id, lane, workflow, rule, kind, severity, key, groups, step, because, occurrence, date, state, level, episode, count,
    breach_ms, opened_ms, changed_ms, ended_ms, delta_ms, finding, assignee, acked_by, acked_ms, ack_until_ms, respond_by_ms, answered_ms,
    suppressed_by, suppressed_until_ms, explained_by, hidden, incident, route, team, escalation, next_ms, amount, runbook, excused, summary, rev
FROM alerts FINAL
WHERE id IN (SELECT id FROM page)
ORDER BY place DESC, id DESC
