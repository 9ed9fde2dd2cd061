-- How often each step happened and how long it took. Exact quantiles: the sampled ones differ from run to run.
-- Where nothing was measured they would be 0, hence the empty array.
SELECT
    lane,
    step,
    if({group:String} = '', '', groups[{group:String}]) AS value,
    count() AS passed,
    max(at_ms) AS last_ms,
    if(count(t.duration_ms) = 0, [], quantilesExact(0.5, 0.95, 0.99)(t.duration_ms)) AS duration_ms,
    if(count(t.queue_ms) = 0, [], quantilesExact(0.5, 0.95, 0.99)(t.queue_ms)) AS queue_ms,
    if(count(t.work_ms) = 0, [], quantilesExact(0.5, 0.95, 0.99)(t.work_ms)) AS work_ms
FROM transitions AS t FINAL
WHERE workflow = {workflow:String}
  AND ({lane:String} = '' OR lane = {lane:String})
  AND at_ms >= {since_ms:Int64}
GROUP BY lane, step, value
ORDER BY step, value
LIMIT {limit:UInt32}
