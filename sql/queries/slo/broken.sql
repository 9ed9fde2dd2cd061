-- Deadlines that were broken, by rule and day (UTC): `missed` and `excused` by when they were due, `came` by when the step came after all. One
-- with tiers is broken once, at its first; one whose step happened in time and was only reported late is none. Excused is what ended while a
-- maintenance window lasted in which it was due.
WITH
    told AS
    (
        SELECT workflow, rule, key, min(deadline_ms) AS due_ms, min(if(kind = 'late', at_ms, NULL)) AS came_ms
        FROM findings FINAL
        WHERE lane = {lane:String} AND has({workflows:Array(String)}, workflow)
          AND kind IN ('missing', 'late', 'reported_late')
          AND deadline_ms >= {since_ms:Int64} - {before_days:Int32} * 86400000 AND deadline_ms < {until_ms:Int64}
          AND ({group_name:String} = '' OR groups[{group_name:String}] = {group_value:String})
        GROUP BY workflow, rule, key, since_ms, if(since_ms IS NULL, occurrence, '')
        HAVING NOT max(kind = 'reported_late')
    ),
    judged AS
    (
        SELECT
            t.workflow AS workflow, t.rule AS rule, t.key AS key, t.due_ms AS due_ms, t.came_ms AS came_ms,
            max(a.key != '' AND a.breach_ms <= t.due_ms AND t.due_ms <= a.end_ms) AS excused
        FROM told AS t
        LEFT JOIN
        (
            SELECT workflow, rule, key, breach_ms, ifNull(ended_ms, 9000000000000000) AS end_ms
            FROM alerts FINAL
            WHERE lane = {lane:String} AND excused
        ) AS a ON a.workflow = t.workflow AND a.rule = t.rule AND a.key = t.key
        GROUP BY workflow, rule, key, due_ms, came_ms
    )
SELECT workflow, rule, toInt32(mark.1) AS day, sum(mark.2) AS missed, sum(mark.3) AS excused, sum(mark.4) AS came
FROM judged
ARRAY JOIN
    [
        (intDiv(due_ms, 86400000), toUInt64(due_ms >= {since_ms:Int64} AND NOT judged.excused), toUInt64(due_ms >= {since_ms:Int64} AND judged.excused), toUInt64(0)),
        (intDiv(ifNull(came_ms, 0), 86400000), toUInt64(0), toUInt64(0), toUInt64(ifNull(came_ms, 0) >= {since_ms:Int64} AND ifNull(came_ms, 0) < {until_ms:Int64}))
    ] AS mark
GROUP BY workflow, rule, day
HAVING missed + excused + came > 0
ORDER BY workflow, rule, day
