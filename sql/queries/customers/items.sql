-- What was done for one value of a group, by workflow: begun and ended in a span of time, and open now.
SELECT
    workflow,
    countIf(started_ms >= {since_ms:Int64} AND started_ms < {until_ms:Int64}) AS processed,
    countIf(status != 'in_flight' AND i.ended_ms >= {since_ms:Int64} AND i.ended_ms < {until_ms:Int64}) AS closed,
    countIf(status = 'completed' AND i.ended_ms >= {since_ms:Int64} AND i.ended_ms < {until_ms:Int64}) AS completed,
    countIf(status IN ('failed', 'expired') AND i.ended_ms >= {since_ms:Int64} AND i.ended_ms < {until_ms:Int64}) AS failed,
    countIf(status = 'in_flight') AS open,
    countIf(status = 'in_flight' AND i.overdue > 0) AS late
FROM items AS i FINAL
WHERE lane = {lane:String} AND groups[{group_name:String}] = {group_value:String}
GROUP BY workflow
ORDER BY workflow
