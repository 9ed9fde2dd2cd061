-- Where the next page of a file ends: the place of its last event, and how many there are on it.
SELECT count() AS rows, max(time_ms) AS last_ms, argMax(source, (time_ms, source, id)) AS last_source, argMax(id, (time_ms, source, id)) AS last_id
FROM
(
    SELECT time_ms, source, id
    FROM events
    WHERE lane = {lane:String}
      AND time_ms >= {since_ms:Int64} AND time_ms < {until_ms:Int64}
      AND ({type:String} = '' OR type = {type:String})
      AND ({source:String} = '' OR source = {source:String})
      AND ({key:String} = '' OR key = {key:String})
      AND ({id:String} = '' OR id = {id:String})
      AND ({pattern:String} = '' OR lower(data) LIKE {pattern:String})
      AND (time_ms, source, id) > ({after_ms:Int64}, {after_source:String}, {after_id:String})
    ORDER BY lane, time_ms, source, id
    LIMIT 1 BY time_ms, source, id
    LIMIT {limit:UInt32}
)
