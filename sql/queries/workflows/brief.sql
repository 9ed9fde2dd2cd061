-- The workflows that have items, when they had the latest news, and whether something is overdue: what a screen needs to choose one; in some
-- partitions, each by itself.
SELECT
    _partition_id AS partition,
    lane,
    workflow,
    '' AS value,
    countIf(i.overdue > 0 AND status = 'in_flight') AS overdue,
    max(updated_ms) AS last_event_ms
FROM items AS i FINAL
WHERE _partition_id IN {partitions:Array(String)}
  AND ({workflow:String} = '' OR workflow = {workflow:String})
  AND ({lane:String} = '' OR lane = {lane:String})
GROUP BY partition, lane, workflow
ORDER BY partition, workflow, lane
LIMIT {limit:UInt32} BY partition
