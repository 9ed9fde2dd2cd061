-- The types and sources of a lane's latest events, to choose from.
SELECT groupUniqArray(200)(type) AS types, groupUniqArray(200)(source) AS sources
FROM (SELECT type, source FROM events WHERE lane = {lane:String} ORDER BY lane DESC, time_ms DESC LIMIT 20000)
