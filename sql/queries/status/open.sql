-- What schedules expected and still has not come, and steps that stand still as a whole, by workflow.
SELECT workflow, count() AS broken
FROM
(
    SELECT workflow
    FROM findings FINAL
    WHERE lane = {lane:String} AND has({workflows:Array(String)}, workflow) AND deadline_ms >= {since_ms:Int64}
      AND ((kind IN ('missing', 'late', 'reported_late') AND since_ms IS NULL) OR (kind = 'stalled' AND occurrence = 'step'))
    GROUP BY workflow, rule, key, occurrence, deadline_ms
    HAVING NOT max(kind IN ('late', 'reported_late') OR (kind = 'stalled' AND at_ms IS NOT NULL))
)
GROUP BY workflow
