-- What waits at each of some steps when the lane's time is `watermark_ms`, and when something last left it. Items that have moved on since then
-- waited then, too. `oldest_ms` is of those that the last one to leave has not overtaken: one that is passed by is stuck itself, not its step.
WITH
    queue AS
    (
        SELECT step, updated_ms AS came_ms
        FROM items FINAL
        WHERE lane = {lane:String} AND workflow = {workflow:String} AND status = 'in_flight'
          AND step IN {steps:Array(String)} AND updated_ms <= {watermark_ms:Int64}
        UNION ALL
        SELECT previous AS step, assumeNotNull(previous_at_ms) AS came_ms
        FROM transitions FINAL
        WHERE lane = {lane:String} AND workflow = {workflow:String}
          AND at_ms > {watermark_ms:Int64}
          AND previous IN {steps:Array(String)} AND previous_at_ms <= {watermark_ms:Int64}
    ),
    gone AS
    (
        SELECT previous AS step, max((at_ms, ifNull(previous_at_ms, at_ms))) AS last
        FROM transitions FINAL
        WHERE lane = {lane:String} AND workflow = {workflow:String}
          AND at_ms >= (SELECT if(count() = 0, {watermark_ms:Int64}, min(came_ms)) FROM queue)
          AND at_ms <= {watermark_ms:Int64} AND previous IN {steps:Array(String)}
        GROUP BY step
    )
SELECT
    queue.step AS step,
    count() AS waiting,
    minIf(queue.came_ms, queue.came_ms >= gone.last.2) AS oldest_ms,
    any(gone.last.1) AS left_ms
FROM queue
LEFT JOIN gone ON gone.step = queue.step
GROUP BY step
HAVING countIf(queue.came_ms >= gone.last.2) > 0
ORDER BY step
