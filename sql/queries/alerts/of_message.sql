-- The alerts that a message was about which was sent, as they stand; with an empty state those that aren't loaded yet.
WITH told AS (SELECT arrayJoin(alerts) AS alert FROM deliveries FINAL WHERE id = {id:String} AND outcome = 'sent')
SELECT told.alert AS id, a.state AS state, a.severity AS severity, a.summary AS summary, a.breach_ms AS breach_ms, a.opened_ms AS opened_ms
FROM told
LEFT JOIN
(
    SELECT id, state, severity, summary, breach_ms, opened_ms
    FROM alerts FINAL
    WHERE id IN (SELECT alert FROM told)
) AS a ON a.id = told.alert
ORDER BY opened_ms, id
LIMIT {limit:UInt32}
