-- The records behind the steps of an item's run. The data is cut to an excerpt.
SELECT source, id, type, time_ms, received_ms, topic, partition, offset, duplicate, key_name, key,
       substringUTF8(data, 1, 2000) AS excerpt,
       truncated OR lengthUTF8(data) > 2000 AS cut
FROM events FINAL
WHERE lane = {lane:String}
  AND (lane, time_ms, source, id) IN
  (
      SELECT lane, at_ms, source, event_id
      FROM transitions
      WHERE lane = {lane:String} AND workflow = {workflow:String} AND key = {key:String}
        AND at_ms >= {from_ms:Int64} AND at_ms < {until_ms:Int64}
      LIMIT 2000
  )
