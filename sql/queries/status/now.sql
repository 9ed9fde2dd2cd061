-- What is in flight and what of it is overdue, of some workflows, and whether they were ever heard of.
SELECT workflow, countIf(status = 'in_flight') AS in_flight, countIf(status = 'in_flight' AND overdue > 0) AS late
FROM items FINAL
WHERE lane = {lane:String} AND has({workflows:Array(String)}, workflow)
GROUP BY workflow
