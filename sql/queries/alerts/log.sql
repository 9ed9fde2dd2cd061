-- What became of some alerts, in order; the latest rows where there are more than the limit.
SELECT alert, lane, rev, n, at_ms, who, what, `from`, `to`, why, finding, action, incident
FROM
(
    SELECT * FROM alertlog FINAL
    WHERE alert IN {ids:Array(String)}
    ORDER BY rev DESC, n DESC, alert DESC
    LIMIT {limit:UInt32}
)
ORDER BY rev, n, alert
