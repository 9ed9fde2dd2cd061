-- What was found about an item's run: what a deadline is about began when its clock was started.
SELECT
    id, lane, workflow, version, rule_hash, rule, kind, severity, key, groups, step, because, occurrence,
    deadline_ms, at_ms, delta_ms, since_ms, event_id, received_ms, runbook, amount
FROM findings FINAL
WHERE lane = {lane:String} AND workflow = {workflow:String} AND key = {key:String}
  AND coalesce(since_ms, at_ms, deadline_ms) >= {from_ms:Int64}
  AND coalesce(since_ms, at_ms, deadline_ms) < {until_ms:Int64}
ORDER BY deadline_ms, kind DESC, id
LIMIT 2000
