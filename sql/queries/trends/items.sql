-- How many items of a workflow began and ended in each span of time, and how long those that completed there took from start to end. `place` is
-- the span, counted from `since_ms`; spans before it are negative, for what is usual.
SELECT
    toInt64(floor((one.2 - {since_ms:Int64}) / {span_ms:Int64})) AS place,
    countIf(one.1 = 'started') AS started,
    countIf(one.1 = 'ended' AND i.status = 'completed') AS completed,
    countIf(one.1 = 'ended' AND i.status = 'failed') AS failed,
    if(completed = 0, [],
       quantilesExactIf(0.5, 0.95, 0.99)(assumeNotNull(i.ended_ms) - i.started_ms, one.1 = 'ended' AND i.status = 'completed')) AS duration_ms
FROM items AS i FINAL
ARRAY JOIN if(isNull(i.ended_ms), [('started', i.started_ms)], [('started', i.started_ms), ('ended', assumeNotNull(i.ended_ms))]) AS one
WHERE i.lane = {lane:String} AND i.workflow = {workflow:String}
  AND one.2 >= {from_ms:Int64} AND one.2 < {until_ms:Int64}
  AND ({group_name:String} = '' OR i.groups[{group_name:String}] = {group_value:String})
GROUP BY place
ORDER BY place
