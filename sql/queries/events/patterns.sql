-- What the latest events look like when numbers, ids and quoted texts with digits in them are left out, with an example of each.
SELECT
    type,
    replaceRegexpAll(substringUTF8(data, 1, 400), '[0-9A-Fa-f]{8}[0-9A-Fa-f-]{8,}|[A-Za-z]*[-_]?[0-9][0-9A-Za-z:._+-]*', '•') AS shape,
    count() AS events,
    min(time_ms) AS first_ms,
    max(time_ms) AS last_ms,
    argMax(id, time_ms) AS example
FROM
(
    SELECT type, data, time_ms, id
    FROM events
    WHERE lane = {lane:String}
  AND time_ms >= {since_ms:Int64} AND time_ms < {until_ms:Int64}
  AND ({type:String} = '' OR type = {type:String})
  AND ({source:String} = '' OR source = {source:String})
  AND ({key:String} = '' OR key = {key:String})
  AND ({id:String} = '' OR id = {id:String})
  AND ({pattern:String} = '' OR lower(data) LIKE {pattern:String})
    ORDER BY lane DESC, time_ms DESC, source DESC, id DESC
    LIMIT 1 BY time_ms, source, id
    LIMIT {sample:UInt32}
)
GROUP BY type, shape
