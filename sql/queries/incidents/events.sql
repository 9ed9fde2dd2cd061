-- The events that moved the items of an incident: of each item those nearest to an instant, in order of time. The data is cut to an excerpt.
WITH moved AS
(
    SELECT lane, at_ms, source, event_id, key
    FROM transitions FINAL
    WHERE lane = {lane:String} AND workflow IN {workflows:Array(String)} AND key IN {keys:Array(String)}
      AND at_ms >= {since_ms:Int64} AND at_ms < {until_ms:Int64}
    ORDER BY abs(at_ms - {about_ms:Int64}), at_ms, source, event_id
    LIMIT {each:UInt32} BY key
    LIMIT {limit:UInt32}
)
SELECT lane, source, id, type, time_ms, received_ms, key_name, key, groups,
       substringUTF8(data, 1, 2000) AS excerpt, truncated OR lengthUTF8(data) > 2000 AS cut,
       duplicate, topic, partition, offset
FROM events FINAL
WHERE lane = {lane:String} AND time_ms >= {since_ms:Int64} AND time_ms < {until_ms:Int64}
  AND (lane, time_ms, source, id) IN (SELECT lane, at_ms, source, event_id FROM moved)
ORDER BY time_ms, source, id
