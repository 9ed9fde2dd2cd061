-- How many alerts of a workflow that should have been answered within each span of time were, and how many were too late or never.
SELECT
    toInt64(floor((assumeNotNull(respond_by_ms) - {since_ms:Int64}) / {span_ms:Int64})) AS place,
    countIf(answered_ms <= respond_by_ms) AS answered_in_time,
    countIf(coalesce(answered_ms, ended_ms, {now_ms:Int64}) > respond_by_ms) AS answered_late
FROM alerts FINAL
WHERE lane = {lane:String} AND workflow = {workflow:String}
  AND excused = 0
  AND respond_by_ms >= {since_ms:Int64} AND respond_by_ms < {until_ms:Int64}
  AND ({group_name:String} = '' OR groups[{group_name:String}] = {group_value:String})
GROUP BY place
ORDER BY place
