-- Alerts with one cause. Which alerts belong to an incident is said by the alerts.
CREATE TABLE IF NOT EXISTS incidents
(
    id          String CODEC(ZSTD(1)),
    lane        LowCardinality(String),
    state       LowCardinality(String),
    priority    LowCardinality(String),
    title       String CODEC(ZSTD(1)),
    cause       String CODEC(ZSTD(1)),
    evidence    Array(String) CODEC(ZSTD(1)),
    opened_ms   Int64 CODEC(Delta, ZSTD(1)),
    resolved_ms Nullable(Int64) CODEC(ZSTD(1)),
    alerts      UInt32,
    items       UInt32,
    groups      Map(LowCardinality(String), Array(String)) CODEC(ZSTD(1)),
    value       Nullable(Float64) CODEC(ZSTD(1)),
    note        String CODEC(ZSTD(1)),
    note_ms     Nullable(Int64) CODEC(ZSTD(1)),
    public      UInt8,
    rev         UInt64,
    inserted_at DateTime('UTC') DEFAULT now() CODEC(Delta, ZSTD(1)),
    CONSTRAINT identified CHECK lane != '' AND id != ''
)
ENGINE = ReplacingMergeTree(rev)
ORDER BY id;
