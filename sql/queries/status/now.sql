-- What is in flight and what of it is overdue, of some workflows, and whether they were ever heard of.
SELECT lane, workflow, countIf(status = 'in_flight') AS in_flight, countIf(status = 'in_flight' AND overdue > 0) AS late
FROM items FINAL
WHERE has({workflows:Array(String)}, workflow)
GROUP BY lane, workflow
