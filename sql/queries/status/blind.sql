-- The days (UTC) on which a source that feeds one of some workflows was blind. A silence that isn't over yet lasts until now.
SELECT DISTINCT workflow, toInt32(arrayJoin(range(toUInt64(intDiv(began_ms, 86400000)), toUInt64(intDiv(least(until_ms, {until_ms:Int64}), 86400000)) + 1))) AS day
FROM
(
    SELECT arrayJoin(splitByChar(',', max(occurrence))) AS workflow, greatest(deadline_ms, {since_ms:Int64}) AS began_ms, ifNull(max(at_ms), {until_ms:Int64}) AS until_ms
    FROM findings FINAL
    WHERE kind = 'blind' AND lane = {lane:String} AND deadline_ms < {until_ms:Int64}
    GROUP BY key, deadline_ms
)
WHERE has({workflows:Array(String)}, workflow) AND until_ms >= began_ms
ORDER BY workflow, day
LIMIT 100000
