-- What waited at each step at an instant that is past: what is there still, or was until it ended there, and what has moved on from there since. An
-- item that had ended by then and moved once more did not wait.
SELECT step, count() AS waiting, 0 AS overdue, min(came_ms) AS oldest_ms, NULL AS due_ms, sum(amount) AS amount
FROM
(
    SELECT step, updated_ms AS came_ms, amount
    FROM items FINAL
    WHERE lane = {lane:String} AND workflow = {workflow:String} AND updated_ms <= {at_ms:Int64}
      AND (status = 'in_flight' OR ended_ms > {at_ms:Int64})
      AND ({group_name:String} = '' OR groups[{group_name:String}] = {group_value:String})
    UNION ALL
    SELECT moved.previous AS step, assumeNotNull(moved.previous_at_ms) AS came_ms, since.amount AS amount
    FROM
    (
        SELECT key, previous, previous_at_ms
        FROM transitions FINAL
        WHERE lane = {lane:String} AND workflow = {workflow:String}
          AND at_ms > {at_ms:Int64} AND previous_at_ms <= {at_ms:Int64}
          AND previous NOT IN {ends:Array(String)}
          AND ({group_name:String} = '' OR groups[{group_name:String}] = {group_value:String})
    ) AS moved
    LEFT JOIN
    (
        SELECT key, max(amount) AS amount, countIf(ended_ms <= {at_ms:Int64}) > 0 AS ended
        FROM items FINAL
        WHERE lane = {lane:String} AND workflow = {workflow:String} AND updated_ms > {at_ms:Int64}
        GROUP BY key
    ) AS since ON since.key = moved.key
    WHERE NOT since.ended
)
GROUP BY step
ORDER BY step
LIMIT 1000
