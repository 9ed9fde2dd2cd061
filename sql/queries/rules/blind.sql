-- Sources that feed a workflow and were blind within a span of time, and from when to when; without an end they are blind yet.
SELECT key AS source, deadline_ms AS since_ms, argMax(at_ms, at_ms IS NOT NULL) AS until_ms
FROM findings FINAL
WHERE lane = {lane:String} AND kind = 'blind' AND has(splitByChar(',', occurrence), {workflow:String})
  AND deadline_ms < {until_ms:Int64}
GROUP BY source, since_ms
HAVING ifNull(until_ms, {until_ms:Int64}) > {since_ms:Int64}
ORDER BY since_ms, source
LIMIT 20
