-- A part of a lane's events of some types, the oldest first, behind a place.
-- Copies of a row are alike in their sorting key, so they are told apart without FINAL.
SELECT source, id, type, time_ms, received_ms, key_name, key, groups, data, truncated
FROM events
WHERE lane = {lane:String}
  AND time_ms >= {since_ms:Int64} AND time_ms < {until_ms:Int64}
  AND has({types:Array(String)}, type)
  AND ({resumed:UInt8} = 0 OR (time_ms, source, id) > ({after_ms:Int64}, {after_source:String}, {after_id:String}))
ORDER BY lane, time_ms, source, id
LIMIT 1 BY time_ms, source, id
LIMIT {limit:UInt32}
