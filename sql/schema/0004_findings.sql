-- What operations people should know of. The id is a hash over lane, workflow, rule, key and deadline_ms among others, so
-- (lane, deadline_ms, id) is the same identity as the id alone, and the newest are found without reading the rest.
CREATE TABLE IF NOT EXISTS findings
(
    id          String CODEC(ZSTD(1)),
    lane        LowCardinality(String),
    workflow    LowCardinality(String),
    version     UInt32,
    rule_hash   LowCardinality(String),
    rule        LowCardinality(String),
    kind        LowCardinality(String),
    severity    LowCardinality(String),
    key         String CODEC(ZSTD(1)),
    groups      Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    step        LowCardinality(String),
    because     LowCardinality(String),
    occurrence  String CODEC(ZSTD(1)),
    deadline_ms Int64 CODEC(Delta, ZSTD(1)),
    at_ms       Nullable(Int64) CODEC(ZSTD(1)),
    delta_ms    Nullable(Int64) CODEC(ZSTD(1)),
    since_ms    Nullable(Int64) CODEC(ZSTD(1)),
    event_id    String CODEC(ZSTD(1)),
    received_ms Int64 CODEC(ZSTD(1)),
    runbook     LowCardinality(String),
    inserted_at DateTime('UTC') DEFAULT now() CODEC(Delta, ZSTD(1)),
    deadline    DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(deadline_ms, 'UTC'),
    at          Nullable(DateTime64(3, 'UTC')) ALIAS fromUnixTimestamp64Milli(at_ms, 'UTC'),
    INDEX by_key key TYPE bloom_filter(0.01) GRANULARITY 1,
    CONSTRAINT identified CHECK lane != '' AND id != ''
)
ENGINE = ReplacingMergeTree
ORDER BY (lane, deadline_ms, id);
