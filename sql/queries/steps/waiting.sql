-- What waits at a step, and since when each of it does, in order; in some partitions, each by itself.
SELECT
    _partition_id AS partition,
    count() AS waiting,
    countIf(i.overdue > 0) AS overdue,
    sum(i.amount) AS amount,
    arraySort(groupArray(updated_ms)) AS since_ms
FROM items AS i FINAL
WHERE _partition_id IN {partitions:Array(String)}
  AND lane = {lane:String} AND workflow = {workflow:String} AND status = 'in_flight' AND step = {step:String}
  AND ({group_name:String} = '' OR groups[{group_name:String}] = {group_value:String})
GROUP BY partition
