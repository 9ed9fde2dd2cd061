-- One item, in each lane that knows it, the one with the latest news first.
SELECT
    lane, workflow, version, rule_hash, key, status, step, started_ms, updated_ms, ended_ms, events,
    missing, late, other, next_due_ms, pending, groups, amount, rev
FROM items FINAL
WHERE workflow = {workflow:String} AND key = {key:String}
  AND ({lane:String} = '' OR lane = {lane:String})
ORDER BY updated_ms DESC, lane
