-- An item's moves. The last one emitted holds: ReplacingMergeTree without a version keeps the row inserted last, and one
-- identity always comes through the same Kafka partition, hence in order.
-- at_ms is the event's own time, so the day belongs to the identity (lane, workflow, key, source, event_id) and lets a
-- query over the last days leave the rest of the table alone.
CREATE TABLE IF NOT EXISTS transitions
(
    lane           LowCardinality(String),
    workflow       LowCardinality(String),
    version        UInt32,
    key            String CODEC(ZSTD(1)),
    event_id       String CODEC(ZSTD(1)),
    source         LowCardinality(String),
    event_type     LowCardinality(String),
    step           LowCardinality(String),
    previous       LowCardinality(String),
    at_ms          Int64 CODEC(Delta, ZSTD(1)),
    previous_at_ms Nullable(Int64) CODEC(ZSTD(1)),
    duration_ms    Nullable(Int64) CODEC(ZSTD(1)),
    queue_ms       Nullable(Int64) CODEC(ZSTD(1)),
    work_ms        Nullable(Int64) CODEC(ZSTD(1)),
    groups         Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    day            Int32 MATERIALIZED toInt32(intDiv(at_ms, 86400000)),
    inserted_at    DateTime('UTC') DEFAULT now() CODEC(Delta, ZSTD(1)),
    at             DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(at_ms, 'UTC'),
    INDEX by_key key TYPE bloom_filter(0.01) GRANULARITY 1,
    CONSTRAINT identified CHECK lane != '' AND workflow != '' AND key != '' AND event_id != ''
)
ENGINE = ReplacingMergeTree
ORDER BY (lane, workflow, day, key, source, event_id);
