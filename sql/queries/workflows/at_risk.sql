-- How many items in flight are at risk, by workflow; by one of their groups when `group` names one: they were warned of, or are likely to miss
-- a deadline, and still wait for its step. A warning tells its own instant, so the deadline that waits under its rule is at or behind it.
-- Which items it may be is found without FINAL first: they are few, and only their last words are then looked for.
SELECT lane, workflow, if({group:String} = '', '', groups[{group:String}]) AS value, uniqExact(key, run_ms) AS at_risk
FROM
(
    SELECT lane, workflow, key, run_ms, started_ms, groups, waits.1 AS rule, waits.2 AS due_ms
    FROM items FINAL ARRAY JOIN pending AS waits
    WHERE status = 'in_flight' AND other > 0
      AND (lane, workflow, key) IN
      (
          SELECT lane, workflow, key FROM items
          WHERE status = 'in_flight' AND other > 0 AND notEmpty(pending)
            AND ({workflow:String} = '' OR workflow = {workflow:String})
            AND ({lane:String} = '' OR lane = {lane:String})
      )
      AND ({workflow:String} = '' OR workflow = {workflow:String})
      AND ({lane:String} = '' OR lane = {lane:String})
) AS waiting
INNER JOIN
(
    SELECT lane, workflow, key, rule, deadline_ms, since_ms
    FROM findings
    WHERE kind IN ('at_risk', 'predicted') AND deadline_ms >= {since_ms:Int64}
      AND ({workflow:String} = '' OR workflow = {workflow:String})
      AND ({lane:String} = '' OR lane = {lane:String})
    GROUP BY lane, workflow, key, rule, deadline_ms, since_ms, id
    HAVING count(at_ms) = 0 -- neither done in time nor called off
) AS told USING (lane, workflow, key, rule)
WHERE told.deadline_ms <= due_ms AND told.since_ms >= started_ms
GROUP BY lane, workflow, value
