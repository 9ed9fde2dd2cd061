-- What became of each alert, and by whom: one row for each change, never altered.
CREATE TABLE IF NOT EXISTS alertlog
(
    alert       String CODEC(ZSTD(1)),
    lane        LowCardinality(String),
    rev         UInt64,
    n           UInt32,
    at_ms       Int64 CODEC(Delta, ZSTD(1)),
    who         LowCardinality(String),
    what        LowCardinality(String),
    `from`      LowCardinality(String),
    `to`        LowCardinality(String),
    why         String CODEC(ZSTD(1)),
    finding     String CODEC(ZSTD(1)),
    action      String CODEC(ZSTD(1)),
    inserted_at DateTime('UTC') DEFAULT now() CODEC(Delta, ZSTD(1)),
    CONSTRAINT identified CHECK alert != '' AND rev > 0
)
ENGINE = ReplacingMergeTree
ORDER BY (alert, rev, n)
SETTINGS index_granularity = 512;
