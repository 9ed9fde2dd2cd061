-- Deadlines that are missed, or likely to be, and whose step has not come, at an instant: by the step that started their clock and the one
-- awaited. Where that is now (`live`), only those of items that are still in flight count: an item that has ended otherwise owes nothing. A
-- warning counts while its item still waits for the deadline; at an instant that is past, while its step had not come, for a day.
SELECT because, step, countIf(worst = 2) AS missing, countIf(worst = 1) AS at_risk
FROM
(
    SELECT
        key, rule, because, step,
        max(multiIf(kind = 'missing', 2, kind IN ('at_risk', 'predicted'), 1, 0)) AS worst,
        max(kind IN ('late', 'reported_late') AND ifNull(at_ms, 0) <= {at_ms:Int64}) AS came,
        -- What was at risk is so no more when it was done in time, or called off.
        max(kind IN ('at_risk', 'predicted') AND at_ms IS NOT NULL AND at_ms <= {at_ms:Int64}) AS over
    FROM findings FINAL
    WHERE lane = {lane:String} AND workflow = {workflow:String}
      AND deadline_ms >= {since_ms:Int64} AND deadline_ms <= {at_ms:Int64}
      AND kind IN ('missing', 'late', 'reported_late', 'at_risk', 'predicted')
      AND ({group_name:String} = '' OR groups[{group_name:String}] = {group_value:String})
      AND
      (
          kind NOT IN ('at_risk', 'predicted')
          OR ({live:UInt8} = 1 AND (key, rule) IN
             (
                 SELECT key, arrayJoin(pending).1 FROM items FINAL
                 WHERE {live:UInt8} = 1 AND lane = {lane:String} AND workflow = {workflow:String} AND status = 'in_flight' AND other > 0
             ))
          OR ({live:UInt8} = 0 AND deadline_ms >= {at_ms:Int64} - 86400000 AND (key, step) NOT IN
             (
                 SELECT key, step FROM transitions
                 WHERE {live:UInt8} = 0 AND lane = {lane:String} AND workflow = {workflow:String}
                   AND day >= intDiv({at_ms:Int64} - 86400000, 86400000) AND at_ms > {at_ms:Int64} - 86400000 AND at_ms <= {at_ms:Int64}
             ))
      )
    GROUP BY key, rule, because, step, occurrence
    HAVING NOT came AND (worst = 2 OR NOT over)
)
WHERE {live:UInt8} = 0 OR key IN
(
    SELECT key FROM items FINAL
    WHERE lane = {lane:String} AND workflow = {workflow:String} AND status = 'in_flight' AND (overdue > 0 OR other > 0)
)
GROUP BY because, step
ORDER BY because, step
LIMIT 1000
