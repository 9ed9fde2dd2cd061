-- How far each subtask of a lane's job has come. The newest row holds.
CREATE TABLE IF NOT EXISTS progress
(
    lane         LowCardinality(String),
    subtask      UInt16,
    parallelism  UInt16,
    watermark_ms Int64,
    at_ms        Int64,
    inserted_at  DateTime('UTC') DEFAULT now(),
    CONSTRAINT identified CHECK lane != ''
)
ENGINE = ReplacingMergeTree(at_ms)
ORDER BY (lane, subtask);
