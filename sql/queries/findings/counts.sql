-- Findings by what they are about.
SELECT
    lane, workflow, rule, kind, severity,
    if({group:String} = '', '', groups[{group:String}]) AS value,
    count() AS findings,
    max(deadline_ms) AS last_deadline_ms
FROM findings FINAL
WHERE ({lane:String} = '' OR lane = {lane:String})
  AND ({workflow:String} = '' OR workflow = {workflow:String})
  AND deadline_ms >= {since_ms:Int64} AND deadline_ms < {until_ms:Int64}
GROUP BY lane, workflow, rule, kind, severity, value
ORDER BY lane, workflow, rule, kind, severity, value
LIMIT {limit:UInt32}
