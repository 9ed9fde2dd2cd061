-- What moved along each edge within a span of time, and how long that took; of one group where `group_name` names one. Exact quantiles: the
-- sampled ones differ from run to run.
SELECT
    previous,
    step,
    count() AS passed,
    sum(t.duration_ms) AS spent_ms,
    if(count(t.duration_ms) = 0, [], quantilesExact(0.5, 0.95, 0.99)(t.duration_ms)) AS duration_ms
FROM transitions AS t FINAL
WHERE lane = {lane:String} AND workflow = {workflow:String}
  AND at_ms >= {since_ms:Int64} AND at_ms < {until_ms:Int64}
  AND ({group_name:String} = '' OR groups[{group_name:String}] = {group_value:String})
GROUP BY previous, step
ORDER BY previous, step
LIMIT 2000
