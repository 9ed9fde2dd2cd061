-- What became of the alerts of an incident in the episodes in which they were of it, in order; the latest rows where there are more than the
-- limit. Rows of an earlier Daymark don't say of which episode they are: of those, what was written in a span of time.
SELECT alert, lane, rev, n, at_ms, who, what, `from`, `to`, why, finding, action, incident
FROM
(
    SELECT * FROM alertlog FINAL
    WHERE alert IN {ids:Array(String)}
      AND if(opened_ms = 0, at_ms >= {since_ms:Int64} AND at_ms < {until_ms:Int64}, (alert, opened_ms) IN
          (
              SELECT alert, opened_ms
              FROM alertlog
              WHERE alert IN {ids:Array(String)}
              GROUP BY alert, opened_ms
              HAVING argMax(incident, (rev, n)) = {id:String}
          ))
    ORDER BY rev DESC, n DESC, alert DESC
    LIMIT {limit:UInt32}
)
ORDER BY rev, n, alert
