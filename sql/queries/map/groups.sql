-- The groups of what moved within a span of time, the most frequent values first.
SELECT tupleElement(pair, 1) AS name, tupleElement(pair, 2) AS value, count() AS moved
FROM transitions
ARRAY JOIN CAST(groups AS Array(Tuple(String, String))) AS pair
WHERE lane = {lane:String} AND workflow = {workflow:String}
  AND at_ms >= {since_ms:Int64} AND at_ms < {until_ms:Int64}
GROUP BY name, value
ORDER BY name, moved DESC, value
LIMIT 12 BY name
LIMIT 60
