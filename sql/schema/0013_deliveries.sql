-- Each attempt to tell somebody. `id` is the notification's.
CREATE TABLE IF NOT EXISTS deliveries
(
    id          String CODEC(ZSTD(1)),
    attempt     UInt32,
    at_ms       Int64 CODEC(Delta, ZSTD(1)),
    took_ms     Int64 CODEC(ZSTD(1)),
    channel     LowCardinality(String),
    type        LowCardinality(String),
    person      LowCardinality(String),
    address     String CODEC(ZSTD(1)),
    outcome     LowCardinality(String),
    status      Nullable(Int32) CODEC(ZSTD(1)),
    detail      String CODEC(ZSTD(1)),
    alerts      Array(String) CODEC(ZSTD(1)),
    reason      LowCardinality(String),
    lane        LowCardinality(String),
    inserted_at DateTime('UTC') DEFAULT now() CODEC(Delta, ZSTD(1)),
    INDEX by_alert alerts TYPE bloom_filter(0.01) GRANULARITY 1,
    CONSTRAINT identified CHECK id != ''
)
ENGINE = ReplacingMergeTree(at_ms)
ORDER BY (id, attempt)
SETTINGS index_granularity = 1024;
