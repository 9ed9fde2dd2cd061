-- How the people concerned by some alerts were told, in order.
SELECT id, attempt, at_ms, took_ms, channel, type, person, address, outcome, status, detail, alerts, reason, lane
FROM deliveries FINAL
WHERE hasAny(alerts, {ids:Array(String)})
ORDER BY at_ms, id, attempt
LIMIT {limit:UInt32}
