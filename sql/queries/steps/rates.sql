-- How often a step happened in each span of some hours, and how long the way there took, today and in the same hours of four weeks before:
-- `week` counts back, `place` is the span. The hours are written out, so that the table's order finds each.
SELECT
    intDiv({until_ms:Int64} - 1 - at_ms, 604800000) AS week,
    intDiv(at_ms + week * 604800000 - {since_ms:Int64}, {span_ms:Int64}) AS place,
    count() AS passed,
    if(count(t.duration_ms) = 0, [], quantilesExact(0.5, 0.95, 0.99)(t.duration_ms)) AS duration_ms
FROM transitions AS t FINAL
WHERE lane = {lane:String} AND workflow = {workflow:String} AND step = {step:String}
  AND
  (
      (at_ms >= {since_ms:Int64} AND at_ms < {until_ms:Int64})
      OR (at_ms >= {since_ms:Int64} - 604800000 AND at_ms < {until_ms:Int64} - 604800000)
      OR (at_ms >= {since_ms:Int64} - 1209600000 AND at_ms < {until_ms:Int64} - 1209600000)
      OR (at_ms >= {since_ms:Int64} - 1814400000 AND at_ms < {until_ms:Int64} - 1814400000)
      OR (at_ms >= {since_ms:Int64} - 2419200000 AND at_ms < {until_ms:Int64} - 2419200000)
  )
  AND ({group_name:String} = '' OR groups[{group_name:String}] = {group_value:String})
GROUP BY week, place
ORDER BY week, place
