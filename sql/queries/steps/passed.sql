-- How often each step happened and how long it took. Exact quantiles: the sampled ones differ from run to run.
SELECT
    lane,
    step,
    if({group:String} = '', '', groups[{group:String}]) AS value,
    count() AS passed,
    max(at_ms) AS last_ms,
    quantilesExact(0.5, 0.95, 0.99)(duration_ms) AS duration_ms,
    quantilesExact(0.5, 0.95, 0.99)(queue_ms) AS queue_ms,
    quantilesExact(0.5, 0.95, 0.99)(work_ms) AS work_ms
FROM transitions FINAL
WHERE workflow = {workflow:String}
  AND ({lane:String} = '' OR lane = {lane:String})
  AND day >= intDiv({since_ms:Int64}, 86400000)
  AND at_ms >= {since_ms:Int64}
GROUP BY lane, step, value
