-- The clock of each lane: the least watermark of the subtasks that its job has now (a job that once ran wider left rows behind).
WITH job AS (SELECT lane, argMax(parallelism, at_ms) AS width FROM progress FINAL GROUP BY lane)
SELECT
    p.lane AS lane,
    min(p.watermark_ms) AS watermark_ms,
    min(p.at_ms) AS moved_ms,
    any(job.width) AS parallelism,
    count() AS subtasks,
    toUnixTimestamp64Milli(now64(3)) AS now_ms
FROM progress AS p FINAL
INNER JOIN job ON job.lane = p.lane
WHERE p.subtask < job.width
GROUP BY p.lane
ORDER BY p.lane
LIMIT {limit:UInt32}
