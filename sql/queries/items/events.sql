-- The records behind an item's steps. The data is cut to an excerpt.
SELECT source, id, type, time_ms, received_ms, topic, partition, offset, duplicate,
       substringUTF8(data, 1, 2000) AS excerpt,
       truncated OR lengthUTF8(data) > 2000 AS cut
FROM events FINAL
WHERE lane = {lane:String}
  AND (lane, time_ms, source, id) IN
  (
      SELECT lane, at_ms, source, event_id
      FROM transitions
      WHERE lane = {lane:String} AND workflow = {workflow:String} AND key = {key:String}
      LIMIT 2000
  )
