-- What could not be read, with its bytes. Named by its place in Kafka.
CREATE TABLE IF NOT EXISTS dead_letters
(
    lane        LowCardinality(String),
    topic       LowCardinality(String),
    partition   Int32,
    offset      Int64,
    received_ms Int64 CODEC(Delta, ZSTD(1)),
    reason      LowCardinality(String),
    detail      String CODEC(ZSTD(1)),
    raw         String CODEC(ZSTD(1)),
    inserted_at DateTime('UTC') DEFAULT now() CODEC(Delta, ZSTD(1)),
    received    DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(received_ms, 'UTC'),
    CONSTRAINT identified CHECK topic != ''
)
ENGINE = ReplacingMergeTree
ORDER BY (topic, partition, offset);
