-- What waited at each step at an instant that is past: what has moved on from there since, and what is there still. An item that had ended by
-- then and moved once more did not wait.
SELECT step, count() AS waiting, 0 AS overdue, min(came_ms) AS oldest_ms, NULL AS due_ms, sum(amount) AS amount
FROM
(
    SELECT step, updated_ms AS came_ms, amount
    FROM items FINAL
    WHERE lane = {lane:String} AND workflow = {workflow:String} AND status = 'in_flight' AND updated_ms <= {at_ms:Int64}
      AND ({group_name:String} = '' OR groups[{group_name:String}] = {group_value:String})
    UNION ALL
    SELECT previous AS step, assumeNotNull(previous_at_ms) AS came_ms, CAST(NULL AS Nullable(Float64)) AS amount
    FROM transitions FINAL
    WHERE lane = {lane:String} AND workflow = {workflow:String}
      AND at_ms > {at_ms:Int64} AND previous_at_ms <= {at_ms:Int64}
      AND previous NOT IN {ends:Array(String)}
      AND key NOT IN
      (
          SELECT key FROM items FINAL
          WHERE lane = {lane:String} AND workflow = {workflow:String} AND ended_ms <= {at_ms:Int64} AND updated_ms > {at_ms:Int64}
      )
      AND ({group_name:String} = '' OR groups[{group_name:String}] = {group_value:String})
)
GROUP BY step
ORDER BY step
LIMIT 1000
