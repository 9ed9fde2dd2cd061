-- Deadlines that are missed, or likely to be, and whose step has not come, now: by the step that started their clock and the one awaited. Only
-- of the run that is in flight: an earlier one, or one that has ended otherwise, owes nothing; and a warning holds while its deadline waits.
-- In a partition with one part each row is a last word, and keys are read only where something may be owed.
SELECT because, step, countIf(worst = 2) AS missing, countIf(worst = 1) AS at_risk
FROM
(
    SELECT
        key, rule, because, step, max(since_ms) AS begun_ms,
        max(multiIf(kind = 'missing', 2, kind IN ('at_risk', 'predicted'), 1, 0)) AS worst,
        max(kind IN ('late', 'reported_late') AND ifNull(at_ms, 0) <= {at_ms:Int64}) AS came,
        max(kind IN ('at_risk', 'predicted') AND at_ms IS NOT NULL AND at_ms <= {at_ms:Int64}) AS over -- done in time, or called off
    FROM findings FINAL
    WHERE lane = {lane:String} AND workflow = {workflow:String}
      AND deadline_ms >= {since_ms:Int64} AND deadline_ms <= {at_ms:Int64}
      AND kind IN ('missing', 'late', 'reported_late', 'at_risk', 'predicted')
      AND ({group_name:String} = '' OR groups[{group_name:String}] = {group_value:String})
    GROUP BY key, rule, because, step, occurrence
    HAVING NOT came AND (worst = 2 OR NOT over)
) AS told
INNER JOIN
(
    SELECT key, least(run_ms, started_ms) AS run_begun_ms, overdue, pending.id AS waits
    FROM items
    WHERE _partition_id IN {settled:Array(String)}
      AND lane = {lane:String} AND workflow = {workflow:String} AND status = 'in_flight' AND (overdue > 0 OR other > 0)
    LIMIT 1 BY key, run_ms
    UNION ALL
    SELECT key, least(run_ms, started_ms) AS run_begun_ms, overdue, pending.id AS waits
    FROM items FINAL
    WHERE _partition_id IN {changing:Array(String)}
      AND lane = {lane:String} AND workflow = {workflow:String} AND status = 'in_flight' AND (overdue > 0 OR other > 0)
) AS owing ON owing.key = told.key
WHERE ifNull(told.begun_ms, owing.run_begun_ms) >= owing.run_begun_ms
  AND if(told.worst = 2, owing.overdue > 0, has(owing.waits, told.rule))
GROUP BY because, step
ORDER BY because, step
LIMIT 1000
