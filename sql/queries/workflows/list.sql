-- How the items of each workflow stand; by one of their groups when `group` names one.
SELECT
    lane,
    workflow,
    if({group:String} = '', '', groups[{group:String}]) AS value,
    count() AS items,
    countIf(status = 'in_flight') AS in_flight,
    countIf(status = 'completed') AS completed,
    countIf(status = 'failed') AS failed,
    countIf(status = 'expired') AS expired,
    countIf(status = 'closed') AS closed,
    sum(i.missing) AS missing,
    sum(i.late) AS late,
    sum(i.other) AS other,
    countIf(i.overdue > 0 AND status = 'in_flight') AS overdue,
    max(updated_ms) AS last_event_ms,
    sumIf(amount, status = 'in_flight') AS amount_in_flight,
    minIf(i.next_due_ms, status = 'in_flight') AS due_ms,
    argMinIf(run_ms, i.next_due_ms, status = 'in_flight' AND i.next_due_ms IS NOT NULL) AS due_run,
    if(completed = 0, [], quantilesExactIf(0.5, 0.95, 0.99)(ended_ms - started_ms, status = 'completed')) AS duration_ms
FROM items AS i FINAL
WHERE ({workflow:String} = '' OR workflow = {workflow:String})
  AND ({lane:String} = '' OR lane = {lane:String})
GROUP BY lane, workflow, value
ORDER BY workflow, lane, value
LIMIT {limit:UInt32}
