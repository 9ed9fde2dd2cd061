-- What has waited longest at a step, or is due next there, in some partitions, each by itself.
SELECT
    _partition_id AS partition,
    if({by_due:UInt8} = 1, ifNull(next_due_ms, 9007199254740991), updated_ms) AS place,
    lane, workflow, key, run_ms, updated_ms, next_due_ms, overdue, groups, amount
FROM items FINAL
WHERE _partition_id IN {partitions:Array(String)}
  AND lane = {lane:String} AND workflow = {workflow:String} AND status = 'in_flight' AND step = {step:String}
  AND ({by_due:UInt8} = 0 OR next_due_ms IS NOT NULL)
  AND ({group_name:String} = '' OR groups[{group_name:String}] = {group_value:String})
ORDER BY partition, place, key, run_ms
LIMIT {limit:UInt32} BY partition
