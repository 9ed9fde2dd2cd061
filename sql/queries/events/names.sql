-- The types and sources of a lane's latest events in a span of time, to choose from.
SELECT groupUniqArray(200)(type) AS types, groupUniqArray(200)(source) AS sources
FROM (SELECT type, source FROM events WHERE lane = {lane:String} AND time_ms >= {since_ms:Int64} AND time_ms < {until_ms:Int64} ORDER BY lane DESC, time_ms DESC LIMIT 20000)
