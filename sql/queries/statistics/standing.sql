-- The steps of a workflow that were said to stand still, and were not yet said to go on.
SELECT
    id, lane, workflow, version, rule_hash, rule, kind, severity, key, groups, step, because, occurrence,
    deadline_ms, at_ms, delta_ms, since_ms, event_id, received_ms, runbook, amount
FROM findings FINAL
WHERE lane = {lane:String} AND workflow = {workflow:String} AND deadline_ms >= {since_ms:Int64}
  AND kind = 'stalled' AND occurrence = 'step' AND at_ms IS NULL
ORDER BY deadline_ms, id
