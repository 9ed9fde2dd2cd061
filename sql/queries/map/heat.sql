-- How long it took on average to come to each step, in each of some spans of time.
SELECT
    step,
    least(intDiv(at_ms - {since_ms:Int64}, {span_ms:Int64}), {spans:UInt32} - 1) AS place, -- the last instant belongs to the last span
    count() AS passed,
    avg(t.duration_ms) AS mean_ms
FROM transitions AS t FINAL
WHERE lane = {lane:String} AND workflow = {workflow:String}
  AND at_ms >= {since_ms:Int64} AND at_ms < {until_ms:Int64}
  AND duration_ms IS NOT NULL
  AND ({group_name:String} = '' OR groups[{group_name:String}] = {group_value:String})
GROUP BY step, place
ORDER BY step, place
LIMIT 20000
