-- Alerts by state and severity. Those inside a maintenance window count nowhere.
SELECT lane, workflow, state, severity, count() AS alerts, max(changed_ms) AS changed_ms
FROM alerts FINAL
WHERE excused = 0
  AND ({lane:String} = '' OR lane = {lane:String})
  AND ({workflow:String} = '' OR workflow = {workflow:String})
GROUP BY lane, workflow, state, severity
ORDER BY lane, workflow, state, severity
LIMIT {limit:UInt32}
