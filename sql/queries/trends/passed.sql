-- How often each step happened in each span of time, and how long the way there took, on some days: those asked about, and the same days of
-- weeks before. `place` is the span, counted from `since_ms`; those before it are negative.
SELECT
    lane, workflow, step,
    toInt64(floor((at_ms - {since_ms:Int64}) / {span_ms:Int64})) AS place,
    count() AS passed,
    if(count(t.duration_ms) = 0, NULL, quantileExact(0.95)(t.duration_ms)) AS p95
FROM transitions AS t FINAL
WHERE ({lane:String} = '' OR lane = {lane:String})
  AND ({workflow:String} = '' OR workflow = {workflow:String})
  AND day IN {days:Array(Int32)}
  AND at_ms < {until_ms:Int64}
  AND ({group_name:String} = '' OR groups[{group_name:String}] = {group_value:String})
GROUP BY lane, workflow, step, place
ORDER BY lane, workflow, step, place
