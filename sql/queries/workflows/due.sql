-- The keys of items in flight, by when their run began and what is due next: workflows/list leaves them out, since it would read all keys for
-- a few. `run_ms` names the partition.
SELECT lane, workflow, run_ms, next_due_ms AS due_ms, min(key) AS key
FROM items FINAL
WHERE run_ms IN {runs:Array(Int64)} AND next_due_ms IN {dues:Array(Int64)} AND status = 'in_flight'
GROUP BY lane, workflow, run_ms, next_due_ms
