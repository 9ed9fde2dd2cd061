-- The sources that are blind now, by their last silence within 30 days, and the workflows that each of them feeds. A silence that is over has
-- been told twice, the second time with its end.
SELECT
    lane,
    key AS source,
    max(deadline_ms) AS since_ms,
    splitByChar(',', argMax(feeds, deadline_ms)) AS workflows
FROM
(
    SELECT lane, key, deadline_ms, max(occurrence) AS feeds, max(at_ms) AS back_ms
    FROM findings
    WHERE kind = 'blind' AND deadline_ms > toUnixTimestamp64Milli(now64(3)) - 30 * 86400000
    GROUP BY lane, key, deadline_ms
)
GROUP BY lane, source
HAVING argMax(isNull(back_ms), deadline_ms)
ORDER BY lane, source
LIMIT {limit:UInt32}
