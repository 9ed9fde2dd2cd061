-- Where each step mostly comes from, to lay the steps out in the order in which they happen.
SELECT step, argMax(previous, n) AS previous, sum(n) AS passed
FROM
(
    SELECT step, previous, count() AS n
    FROM transitions
    WHERE workflow = {workflow:String}
      AND ({lane:String} = '' OR lane = {lane:String})
      AND at_ms >= {since_ms:Int64}
    GROUP BY step, previous
)
GROUP BY step
