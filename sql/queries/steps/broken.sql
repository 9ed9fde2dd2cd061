-- What was found at each step.
SELECT
    lane,
    step,
    if({group:String} = '', '', groups[{group:String}]) AS value,
    -- Several limits on one deadline count once.
    uniqExactIf((workflow, key, rule, ifNull(since_ms, 0)), kind = 'missing') AS missing,
    countIf(kind = 'late') AS late,
    countIf(kind NOT IN ('missing', 'late')) AS other
FROM findings FINAL
WHERE workflow = {workflow:String}
  AND ({lane:String} = '' OR lane = {lane:String})
  AND deadline_ms >= {since_ms:Int64}
GROUP BY lane, step, value
ORDER BY step, value
LIMIT {limit:UInt32}
