-- What was erased and must stay so when Kafka is read again: SHA-256 digests, not the keys and values themselves.
-- `kind` is key (an item's key) or value (a text somewhere in a record).
CREATE TABLE IF NOT EXISTS erasures
(
    kind        LowCardinality(String),
    digest      String,
    at_ms       Int64,
    inserted_at DateTime('UTC') DEFAULT now(),
    CONSTRAINT identified CHECK digest != ''
)
ENGINE = ReplacingMergeTree
ORDER BY (kind, digest);
