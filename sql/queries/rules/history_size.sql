-- How many events of some types a lane has in a span of time; copies may count twice.
SELECT count() AS events
FROM events
WHERE lane = {lane:String}
  AND time_ms >= {since_ms:Int64} AND time_ms < {until_ms:Int64}
  AND has({types:Array(String)}, type)
