-- How many events there are in each span of time.
SELECT intDiv(time_ms - {since_ms:Int64}, {span_ms:Int64}) AS place, count() AS events
FROM events FINAL
WHERE lane = {lane:String}
  AND time_ms >= {since_ms:Int64} AND time_ms < {until_ms:Int64}
  AND ({type:String} = '' OR type = {type:String})
  AND ({source:String} = '' OR source = {source:String})
  AND ({key:String} = '' OR key = {key:String})
  AND ({id:String} = '' OR id = {id:String})
  AND ({pattern:String} = '' OR lower(data) LIKE {pattern:String})
GROUP BY place
ORDER BY place
