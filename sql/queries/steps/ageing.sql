-- How long what waits at a step has waited: items by age since they came (1 m, 5 m, 15 m, 1 h, 4 h, 1 d, more).
SELECT
    count() AS waiting,
    countIf(i.overdue > 0) AS overdue,
    sum(i.amount) AS amount,
    [countIf(age < 60000),
     countIf(age >= 60000 AND age < 300000),
     countIf(age >= 300000 AND age < 900000),
     countIf(age >= 900000 AND age < 3600000),
     countIf(age >= 3600000 AND age < 14400000),
     countIf(age >= 14400000 AND age < 86400000),
     countIf(age >= 86400000)] AS ageing
FROM
(
    SELECT overdue, amount, {now_ms:Int64} - updated_ms AS age
    FROM items FINAL
    WHERE lane = {lane:String} AND workflow = {workflow:String} AND status = 'in_flight' AND step = {step:String}
      AND ({group_name:String} = '' OR groups[{group_name:String}] = {group_value:String})
) AS i
