-- What is broken now, the gravest first: deadlines missed whose step has not come, of items that are still open and of what schedules expect;
-- sources that are blind; steps that stand still. Of a key that came again, only the run that is open counts. In a partition with one part each
-- row is a last word, and keys are read only where something is overdue.
WITH told AS
(
    SELECT
        f.lane AS lane, f.workflow AS workflow, rule, f.key AS key, occurrence, deadline_ms,
        argMin(tuple(id, kind, severity, groups, step, because, at_ms, delta_ms, since_ms, event_id, received_ms, runbook, version, rule_hash),
               (kind != 'missing', id)) AS first,
        max(kind IN ('late', 'reported_late')) AS came,
        max(kind IN ('blind', 'stalled') AND at_ms IS NOT NULL) AS over
    FROM findings AS f FINAL
    LEFT ANY JOIN
    (
        SELECT lane, workflow, key, least(run_ms, started_ms) AS begun_ms
        FROM items
        WHERE _partition_id IN {settled:Array(String)}
          AND status = 'in_flight' AND overdue > 0
          AND ({lane:String} = '' OR lane = {lane:String})
          AND ({workflow:String} = '' OR workflow = {workflow:String})
        UNION ALL
        SELECT lane, workflow, key, least(run_ms, started_ms) AS begun_ms
        FROM items FINAL
        WHERE _partition_id IN {changing:Array(String)}
          AND status = 'in_flight' AND overdue > 0
          AND ({lane:String} = '' OR lane = {lane:String})
          AND ({workflow:String} = '' OR workflow = {workflow:String})
    ) AS i ON i.lane = f.lane AND i.workflow = f.workflow AND i.key = f.key
    WHERE deadline_ms >= {since_ms:Int64}
      AND ({lane:String} = '' OR f.lane = {lane:String})
      AND ({workflow:String} = '' OR f.workflow = {workflow:String})
      AND
      (
          kind = 'blind'
          OR (kind = 'stalled' AND occurrence = 'step')
          OR (kind IN ('missing', 'late', 'reported_late') AND (since_ms IS NULL OR (i.key != '' AND since_ms >= i.begun_ms)))
      )
    GROUP BY lane, workflow, rule, key, occurrence, deadline_ms
    HAVING NOT came AND NOT over
)
SELECT
    first.1 AS id, lane, workflow, first.13 AS version, first.14 AS rule_hash, rule, first.2 AS kind, first.3 AS severity, key,
    first.4 AS groups, first.5 AS step, first.6 AS because, occurrence, deadline_ms, first.7 AS at_ms, first.8 AS delta_ms,
    first.9 AS since_ms, first.10 AS event_id, first.11 AS received_ms, first.12 AS runbook,
    indexOf(['critical', 'high', 'medium', 'low'], severity) AS gravity
FROM told
ORDER BY gravity, deadline_ms DESC, id
LIMIT {limit:UInt32}
