-- How the people concerned by some alerts were told within a span of time, in order.
SELECT id, attempt, at_ms, took_ms, channel, type, person, address, outcome, status, detail,
       arraySlice(d.alerts, 1, 1000) AS alerts, reason, lane
FROM deliveries AS d FINAL
WHERE hasAny(d.alerts, {ids:Array(String)}) AND at_ms >= {since_ms:Int64} AND at_ms < {until_ms:Int64}
ORDER BY at_ms, id, attempt
LIMIT {limit:UInt32}
