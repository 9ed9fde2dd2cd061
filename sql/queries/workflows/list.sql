-- How the items of each workflow stand, in some partitions, each by itself; by one of their groups when `group` names one.
SELECT
    _partition_id AS partition,
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
    arraySort(groupArrayIf(ended_ms - started_ms, status = 'completed')) AS took_ms
FROM items AS i FINAL
WHERE _partition_id IN {partitions:Array(String)}
  AND ({workflow:String} = '' OR workflow = {workflow:String})
  AND ({lane:String} = '' OR lane = {lane:String})
GROUP BY partition, lane, workflow, value
ORDER BY partition, workflow, lane, value
LIMIT {limit:UInt32} BY partition
