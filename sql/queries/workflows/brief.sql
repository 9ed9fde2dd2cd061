-- The workflows that have items, when they had the latest news, and whether something is overdue: what a screen needs to choose one.
SELECT
    lane,
    workflow,
    '' AS value,
    countIf(i.overdue > 0 AND status = 'in_flight') AS overdue,
    max(updated_ms) AS last_event_ms
FROM items AS i FINAL
WHERE ({workflow:String} = '' OR workflow = {workflow:String})
  AND ({lane:String} = '' OR lane = {lane:String})
GROUP BY lane, workflow
ORDER BY workflow, lane
LIMIT {limit:UInt32}
