-- When what is due at a time of day is due next: of the items in flight that wait for one of `rules`, the first instant after now, and how many
-- wait for it. `workflows` and `rules` belong together by place.
SELECT workflow, rule, due_ms, count() AS items
FROM
(
    SELECT workflow, waits.1 AS rule, waits.2 AS due_ms
    FROM items FINAL ARRAY JOIN pending AS waits
    WHERE lane = {lane:String} AND status = 'in_flight' AND workflow IN {workflows:Array(String)}
)
WHERE due_ms > {now_ms:Int64}
  AND has(arrayZip({workflows:Array(String)}, {rules:Array(String)}), (workflow, rule))
GROUP BY workflow, rule, due_ms
ORDER BY workflow, due_ms, rule
LIMIT 1 BY workflow
