-- Which keys of events moved items of which keys: all that moved these items, and all that was moved under these keys.
SELECT DISTINCT heard.key AS other, moved.key AS item
FROM
(
    SELECT lane, source, id, key
    FROM events
    WHERE key IN {keys:Array(String)}
       OR (lane, source, id) IN (SELECT lane, source, event_id FROM transitions WHERE key IN {keys:Array(String)})
) AS heard
INNER JOIN
(
    SELECT lane, source, event_id, key
    FROM transitions
    WHERE key IN {keys:Array(String)}
       OR (lane, source, event_id) IN (SELECT lane, source, id FROM events WHERE key IN {keys:Array(String)})
) AS moved ON heard.lane = moved.lane AND heard.source = moved.source AND heard.id = moved.event_id
WHERE heard.key != ''
ORDER BY other, item
LIMIT {limit:UInt32}
SETTINGS max_execution_time = 3600
