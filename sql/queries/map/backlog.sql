-- What waits at each step now, in some partitions, each by itself.
SELECT
    _partition_id AS partition,
    step,
    count() AS waiting,
    countIf(i.overdue > 0) AS overdue,
    min(updated_ms) AS oldest_ms,
    min(i.next_due_ms) AS due_ms,
    sum(i.amount) AS amount
FROM items AS i FINAL
WHERE _partition_id IN {partitions:Array(String)}
  AND lane = {lane:String} AND workflow = {workflow:String} AND status = 'in_flight'
  AND ({group_name:String} = '' OR groups[{group_name:String}] = {group_value:String})
GROUP BY partition, step
ORDER BY partition, step
LIMIT 1000 BY partition
