-- One page of events, the newest first. Copies of a row are alike in their sorting key, so they are told apart without FINAL.
WITH page AS
(
    SELECT time_ms, lane, source, id
    FROM events
    WHERE ({lane:String} = '' OR lane = {lane:String})
      AND time_ms >= {since_ms:Int64} AND time_ms < {until_ms:Int64}
      AND ({type:String} = '' OR type = {type:String})
      AND ({source:String} = '' OR source = {source:String})
      AND ({key:String} = '' OR key = {key:String})
      AND ({id:String} = '' OR id = {id:String})
      AND ({pattern:String} = '' OR lower(data) LIKE {pattern:String})
      AND ({resumed:UInt8} = 0
           OR (time_ms, lane, source, id) < ({after_ms:Int64}, {after_lane:String}, {after_source:String}, {after_id:String}))
    ORDER BY time_ms DESC, lane DESC, source DESC, id DESC
    LIMIT 1 BY time_ms, lane, source, id
    LIMIT {limit:UInt32}
)
SELECT lane, source, id, type, time_ms, received_ms, key_name, key, groups,
       substringUTF8(data, 1, 2000) AS excerpt, truncated OR lengthUTF8(data) > 2000 AS cut,
       duplicate, topic, partition, offset
FROM events FINAL
WHERE (lane, time_ms, source, id) IN (SELECT lane, time_ms, source, id FROM page)
ORDER BY time_ms DESC, lane DESC, source DESC, id DESC
