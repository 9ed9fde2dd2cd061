-- How many findings of a workflow have their deadline in each span of time.
SELECT
    toInt64(floor((deadline_ms - {since_ms:Int64}) / {span_ms:Int64})) AS place,
    countIf(kind = 'missing') AS missing,
    countIf(kind IN ('late', 'reported_late')) AS late,
    countIf(kind NOT IN ('missing', 'late', 'reported_late')) AS other
FROM findings FINAL
WHERE lane = {lane:String} AND workflow = {workflow:String}
  AND deadline_ms >= {from_ms:Int64} AND deadline_ms < {until_ms:Int64}
  AND ({group_name:String} = '' OR groups[{group_name:String}] = {group_value:String})
GROUP BY place
ORDER BY place
