-- Deadlines that were missed, or likely to be, and whose step had not come, at an instant that is past: by the step that had started their clock
-- and the one awaited. A run that had ended by then owed nothing, and a warning held until its step came.
WITH told AS
(
    SELECT
        key, rule, because, step, max(since_ms) AS begun_ms,
        max(multiIf(kind = 'missing', 2, kind IN ('at_risk', 'predicted'), 1, 0)) AS worst,
        max(kind IN ('late', 'reported_late') AND ifNull(at_ms, 0) <= {at_ms:Int64}) AS came,
        max(kind IN ('at_risk', 'predicted') AND at_ms IS NOT NULL AND at_ms <= {at_ms:Int64}) AS calm -- done in time, or called off
    FROM findings FINAL
    WHERE lane = {lane:String} AND workflow = {workflow:String}
      AND deadline_ms >= {since_ms:Int64} AND deadline_ms <= {at_ms:Int64}
      AND kind IN ('missing', 'late', 'reported_late', 'at_risk', 'predicted')
      AND ({group_name:String} = '' OR groups[{group_name:String}] = {group_value:String})
    GROUP BY key, rule, because, step, occurrence
    HAVING NOT came AND (worst = 2 OR NOT calm)
)
SELECT because, step, countIf(worst = 2) AS missing, countIf(worst = 1) AS at_risk
FROM told
LEFT JOIN
(
    SELECT key, step AS came_to, max(at_ms) AS came_ms
    FROM transitions
    WHERE lane = {lane:String} AND workflow = {workflow:String}
      AND day >= intDiv({since_ms:Int64}, 86400000) AND day <= intDiv({at_ms:Int64}, 86400000) AND at_ms <= {at_ms:Int64}
      AND key IN (SELECT key FROM told WHERE worst = 1)
    GROUP BY key, came_to
) AS moved ON moved.key = told.key AND moved.came_to = told.step
LEFT JOIN
(
    SELECT key, max(ended_ms) AS last_ended_ms
    FROM items FINAL
    WHERE lane = {lane:String} AND workflow = {workflow:String} AND ended_ms <= {at_ms:Int64} AND key IN (SELECT key FROM told)
    GROUP BY key
) AS over ON over.key = told.key
WHERE (told.worst = 2 OR moved.came_ms = 0 OR moved.came_ms < ifNull(told.begun_ms, 0))
  AND ifNull(over.last_ended_ms, 0) < ifNull(told.begun_ms, {at_ms:Int64} + 1)
GROUP BY because, step
ORDER BY because, step
LIMIT 1000
