-- A key's run that was under way at an instant (far ahead: its newest), in each lane that knows it, the one with the latest news
-- first. A run reaches from its first event, which may be older than the one admitted first, up to the next run.
SELECT * FROM
(
    SELECT
        lane, workflow, version, rule_hash, key, run_ms, status, step, started_ms, updated_ms, ended_ms, events,
        missing, late, other, overdue, next_due_ms, pending, groups, amount, reason, forecast, rev,
        least(run_ms, started_ms) AS from_ms,
        leadInFrame(least(run_ms, started_ms), 1, toInt64(9223372036854775807))
            OVER (PARTITION BY lane ORDER BY run_ms ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS until_ms
    FROM items FINAL
    WHERE workflow = {workflow:String} AND key = {key:String}
      AND ({lane:String} = '' OR lane = {lane:String})
)
WHERE from_ms <= {at_ms:Int64} AND (until_ms > {at_ms:Int64} OR until_ms = 9223372036854775807)
ORDER BY updated_ms DESC, lane
