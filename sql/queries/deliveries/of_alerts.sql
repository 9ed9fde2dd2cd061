-- How the people concerned by some alerts were told, in order.
SELECT id, attempt, at_ms, took_ms, channel, type, person, address, outcome, status, detail,
       arraySlice(d.alerts, 1, 1000) AS alerts, reason, lane
FROM deliveries AS d FINAL
WHERE hasAny(d.alerts, {ids:Array(String)})
ORDER BY at_ms, id, attempt
LIMIT {limit:UInt32}
