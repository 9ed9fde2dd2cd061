-- How often steps that a deadline of a workflow awaits happened, by the deadline and the day (UTC), and only of items at which the step that
-- starts its clock had happened ('': whichever). An item counts once a day: where steps are repeated, only their first time is held to it.
SELECT one.1 AS rule, t.day AS day, uniqExact(t.key) AS arrived
FROM transitions AS t FINAL
ARRAY JOIN arrayZip({rules:Array(String)}, {afters:Array(String)}, {expects:Array(String)}) AS one
WHERE t.lane = {lane:String} AND t.workflow = {workflow:String}
  AND t.at_ms >= {since_ms:Int64} AND t.at_ms < {until_ms:Int64}
  AND t.step = one.3
  AND ({group_name:String} = '' OR t.groups[{group_name:String}] = {group_value:String})
  AND (one.2 = '' OR (t.key, one.2) IN
      (
          SELECT key, step FROM transitions
          WHERE lane = {lane:String} AND workflow = {workflow:String} AND step IN {afters:Array(String)}
            AND at_ms >= {since_ms:Int64} - {before_days:Int32} * 86400000 AND at_ms < {until_ms:Int64}
      ))
GROUP BY rule, day
ORDER BY rule, day
