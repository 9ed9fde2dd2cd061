-- What waits at each step, and for how long: items by age since their last step (1 m, 5 m, 15 m, 1 h, 4 h, 1 d, more).
SELECT
    lane,
    step,
    if({group:String} = '', '', groups[{group:String}]) AS value,
    count() AS waiting,
    countIf(i.overdue > 0) AS overdue,
    min(updated_ms) AS oldest_ms,
    sum(amount) AS amount,
    [countIf(age < 60000),
     countIf(age >= 60000 AND age < 300000),
     countIf(age >= 300000 AND age < 900000),
     countIf(age >= 900000 AND age < 3600000),
     countIf(age >= 3600000 AND age < 14400000),
     countIf(age >= 14400000 AND age < 86400000),
     countIf(age >= 86400000)] AS ageing
FROM
(
    SELECT *, {now_ms:Int64} - updated_ms AS age
    FROM items FINAL
    WHERE workflow = {workflow:String}
      AND ({lane:String} = '' OR lane = {lane:String})
      AND status = 'in_flight'
) AS i
GROUP BY lane, step, value
ORDER BY step, value
LIMIT {limit:UInt32}
