-- One page of a lane's events, the newest first: read in the table's own order, so that the first page costs no more with ten million of them.
-- Copies of a row are alike in their sorting key, so they are told apart without FINAL.
SELECT lane, source, id, type, time_ms, received_ms, key_name, key, groups,
       substringUTF8(data, 1, 2000) AS excerpt, truncated OR lengthUTF8(data) > 2000 AS cut,
       duplicate, topic, partition, offset
FROM events
WHERE lane = {lane:String}
  AND time_ms >= {since_ms:Int64} AND time_ms < {until_ms:Int64}
  AND ({type:String} = '' OR type = {type:String})
  AND ({source:String} = '' OR source = {source:String})
  AND ({key:String} = '' OR key = {key:String})
  AND ({id:String} = '' OR id = {id:String})
  AND ({pattern:String} = '' OR lower(data) LIKE {pattern:String})
  AND ({resumed:UInt8} = 0 OR (time_ms, source, id) < ({after_ms:Int64}, {after_source:String}, {after_id:String}))
ORDER BY lane DESC, time_ms DESC, source DESC, id DESC
LIMIT 1 BY time_ms, source, id
LIMIT {limit:UInt32}
