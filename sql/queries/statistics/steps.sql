-- How long it took after each step until anything else happened to the item, where that was seen often enough. What is still waiting is not
-- in it: it has no end yet. Replays are left out, since they would count a day twice.
SELECT workflow, previous AS step, count() AS count, toInt64(quantileExact(0.95)(greatest(0, at_ms - previous_at_ms))) AS p95
FROM transitions FINAL
WHERE at_ms >= {since_ms:Int64}
  AND previous != ''
  AND NOT startsWith(lane, 'replay-')
GROUP BY workflow, step
HAVING count >= {least:UInt32}
ORDER BY workflow, step
