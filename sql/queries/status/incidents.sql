-- What the public is told of incidents: the note of each one that somebody made public, and which workflows its alerts are about, the newest first.
SELECT i.id AS id, i.state AS state, i.opened_ms AS opened_ms, i.resolved_ms AS resolved_ms, i.note AS note, i.note_ms AS note_ms, a.workflows AS workflows
FROM incidents AS i FINAL
INNER JOIN
(
    SELECT incident, groupUniqArray(workflow) AS workflows FROM
    (
        SELECT incident, workflow FROM alerts FINAL WHERE incident != '' AND lane = {lane:String}
        UNION ALL
        SELECT c.id AS incident, b.workflow AS workflow
        FROM incidents AS c FINAL INNER JOIN alerts AS b FINAL ON b.id = c.cause
        WHERE c.lane = {lane:String} AND c.cause != ''
    )
    WHERE has({workflows:Array(String)}, workflow)
    GROUP BY incident
) AS a ON a.incident = i.id
WHERE i.lane = {lane:String} AND i.public AND i.note != '' AND (i.state = 'open' OR ifNull(i.resolved_ms, i.opened_ms) >= {since_ms:Int64})
ORDER BY i.opened_ms DESC, i.id
LIMIT 100
