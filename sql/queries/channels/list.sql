-- How each channel has done since an instant: what came of notifications, and how often it failed since it last worked.
-- `since_ms` bounds what is looked at; `waiting` are notifications that were tried and will be again.
WITH told AS
(
    SELECT
        id,
        channel,
        argMax(type, (at_ms, attempt)) AS kind,
        argMax(outcome, (at_ms, attempt)) AS last,
        maxIf(at_ms, outcome = 'sent') AS sent_at,
        groupArrayIf(at_ms, outcome IN ('retry', 'failed')) AS failures,
        maxIf(at_ms, outcome IN ('retry', 'failed', 'dead')) AS failed_at,
        argMaxIf(detail, at_ms, outcome IN ('retry', 'failed', 'dead')) AS said
    FROM deliveries FINAL
    WHERE at_ms >= {since_ms:Int64} AND channel != ''
    GROUP BY id, channel
)
SELECT
    channel,
    any(kind) AS type,
    countIf(last = 'sent') AS sent,
    countIf(last = 'retry') AS waiting,
    countIf(last = 'dead') AS dead,
    length(groupArrayArray(failures)) AS failed,
    arrayCount(at -> at > sent_ms, groupArrayArray(failures)) AS failing,
    max(sent_at) AS sent_ms,
    max(failed_at) AS failed_ms,
    argMax(said, failed_at) AS detail
FROM told
GROUP BY channel
ORDER BY channel
LIMIT {limit:UInt32}
