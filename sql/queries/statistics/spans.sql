-- How long it took from the first of one step to the first of another behind it, within a key, where that was seen often enough.
SELECT
    workflow,
    pair.1.1 AS after,
    pair.2.1 AS expect,
    count() AS count,
    arrayMap(q -> toInt64(q), quantilesExact(0.5, 0.75, 0.9, 0.95, 0.99)(pair.2.2 - pair.1.2)) AS quantiles
FROM
(
    SELECT
        workflow,
        groupArray((step, first_ms)) AS steps,
        arrayJoin(arrayFlatten(arrayMap(a -> arrayMap(b -> (a, b), arrayFilter(b -> b.1 != a.1 AND b.2 >= a.2, steps)), steps))) AS pair
    FROM
    (
        SELECT lane, workflow, key, step, min(at_ms) AS first_ms
        FROM transitions FINAL
        WHERE at_ms >= {since_ms:Int64}
          AND NOT startsWith(lane, 'replay-')
        GROUP BY lane, workflow, key, step
    )
    GROUP BY lane, workflow, key
)
GROUP BY workflow, after, expect
HAVING count >= {least:UInt32}
ORDER BY workflow, after, expect
