-- How often something was found in each of the last spans of time, by lane and workflow: what a tile's little chart shows.
SELECT lane, workflow, intDiv(deadline_ms - {since_ms:Int64}, {span_ms:Int64}) AS place, count() AS findings
FROM findings FINAL
WHERE deadline_ms >= {since_ms:Int64} AND deadline_ms < {until_ms:Int64}
  AND ({lane:String} = '' OR lane = {lane:String})
  AND workflow != ''
GROUP BY lane, workflow, place
ORDER BY lane, workflow, place
