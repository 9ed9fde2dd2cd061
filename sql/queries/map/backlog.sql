-- What waits at each step now.
SELECT
    step,
    count() AS waiting,
    countIf(i.overdue > 0) AS overdue,
    min(updated_ms) AS oldest_ms,
    min(i.next_due_ms) AS due_ms,
    sum(i.amount) AS amount
FROM items AS i FINAL
WHERE lane = {lane:String} AND workflow = {workflow:String} AND status = 'in_flight'
  AND ({group_name:String} = '' OR groups[{group_name:String}] = {group_value:String})
GROUP BY step
ORDER BY step
LIMIT 1000
