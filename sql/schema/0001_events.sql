-- One row per record read from Kafka. The sorting key is also the identity: a record read twice is one row; a copy of an
-- event that carries another time is a row of its own, so nothing is dropped silently.
-- Integers that come as JSON would be read as seconds by DateTime64, so instants stay Int64 and the readable column is an alias.
CREATE TABLE IF NOT EXISTS events
(
    lane        LowCardinality(String),
    source      LowCardinality(String),
    id          String CODEC(ZSTD(1)),
    type        LowCardinality(String),
    time_ms     Int64 CODEC(Delta, ZSTD(1)),
    received_ms Int64 CODEC(Delta, ZSTD(1)),
    key_name    LowCardinality(String),
    key         String CODEC(ZSTD(1)),
    groups      Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    data        String CODEC(ZSTD(1)),
    truncated   UInt8,
    duplicate   UInt8,
    topic       LowCardinality(String),
    partition   Int32,
    offset      Int64 CODEC(Delta, ZSTD(1)),
    inserted_at DateTime('UTC') DEFAULT now() CODEC(Delta, ZSTD(1)),
    time        DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(time_ms, 'UTC'),
    received    DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(received_ms, 'UTC'),
    INDEX by_key key TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_id id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_text lower(data) TYPE ngrambf_v1(4, 65536, 2, 0) GRANULARITY 1,
    CONSTRAINT identified CHECK lane != '' AND id != ''
)
ENGINE = ReplacingMergeTree
ORDER BY (lane, time_ms, source, id);
