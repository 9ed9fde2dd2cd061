-- The alerts that an incident has, or had before they came back: of each the last episode in it, and how it stood in that.
SELECT
    alert,
    opened_ms,
    max(at_ms) AS changed_ms,
    minOrNullIf(at_ms, `to` IN ('resolved', 'expired')) AS ended_ms,
    argMax(`to`, (rev, n)) AS state,
    argMaxIf(why, (rev, n), what = 'joined') AS summary
FROM alertlog
WHERE alert IN (SELECT alert FROM alertlog WHERE incident = {id:String}) AND opened_ms > 0
GROUP BY alert, opened_ms
HAVING argMax(incident, (rev, n)) = {id:String}
ORDER BY alert, opened_ms DESC
LIMIT 1 BY alert
LIMIT {limit:UInt32}
