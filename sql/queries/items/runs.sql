-- The runs of a key in each lane, the latest first.
SELECT lane, run_ms, status, started_ms, updated_ms, missing, late, overdue
FROM items FINAL
WHERE workflow = {workflow:String} AND key = {key:String}
ORDER BY run_ms DESC, lane
LIMIT 100 BY lane
