-- Where every run of every key stands: a key that comes again is a run of its own, told apart by the time of the first event
-- admitted to it. The row with the highest revision holds, in whatever order rows arrive.
CREATE TABLE IF NOT EXISTS items
(
    lane        LowCardinality(String),
    workflow    LowCardinality(String),
    version     UInt32,
    rule_hash   LowCardinality(String),
    key         String CODEC(ZSTD(1)),
    run_ms      Int64 CODEC(Delta, ZSTD(1)),
    status      LowCardinality(String),
    step        LowCardinality(String),
    started_ms  Int64 CODEC(Delta, ZSTD(1)),
    updated_ms  Int64 CODEC(Delta, ZSTD(1)),
    ended_ms    Nullable(Int64) CODEC(ZSTD(1)),
    events      UInt32,
    missing     UInt32,
    late        UInt32,
    other       UInt32,
    overdue     UInt32,
    next_due_ms Nullable(Int64) CODEC(ZSTD(1)),
    pending     Array(Tuple(id String, due_ms Int64)) CODEC(ZSTD(1)),
    groups      Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    amount      Nullable(Float64) CODEC(ZSTD(1)),
    rev         UInt64,
    inserted_at DateTime('UTC') DEFAULT now() CODEC(Delta, ZSTD(1)),
    started     DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(started_ms, 'UTC'),
    updated     DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(updated_ms, 'UTC'),
    CONSTRAINT identified CHECK lane != '' AND workflow != '' AND key != ''
)
ENGINE = ReplacingMergeTree(rev)
ORDER BY (lane, workflow, key, run_ms);
