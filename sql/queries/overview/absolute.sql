-- When what is due at a time of day is due: the instants that items in flight wait for under one of `rules`, and how many wait for each, in some
-- partitions, each by itself. `workflows` and `rules` belong together by place.
SELECT partition, workflow, rule, due_ms, count() AS items
FROM
(
    SELECT _partition_id AS partition, workflow, waits.1 AS rule, waits.2 AS due_ms
    FROM items FINAL ARRAY JOIN pending AS waits
    WHERE _partition_id IN {partitions:Array(String)}
      AND lane = {lane:String} AND status = 'in_flight' AND workflow IN {workflows:Array(String)}
)
WHERE has(arrayZip({workflows:Array(String)}, {rules:Array(String)}), (workflow, rule))
GROUP BY partition, workflow, rule, due_ms
