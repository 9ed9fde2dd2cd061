-- The same tables, laid out for the screens; 0031 and 0032 put them in place, 0033 fetches what came meanwhile.
-- Items in 32 partitions by the day on which a run began: what is open, and what changes, is in the latest days, so that FINAL merges
-- little, and reads all days before as they are. The number is bounded because an event may claim any day. `run_ms` belongs to the
-- identity, hence all rows of one are in one partition.
CREATE TABLE IF NOT EXISTS items_by_day
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
    reason      LowCardinality(String) DEFAULT '',
    forecast    Array(Tuple(id String, due_ms Int64, since_ms Int64, quantiles Array(Int64))) CODEC(ZSTD(1)),
    started     DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(started_ms, 'UTC'),
    updated     DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(updated_ms, 'UTC'),
    INDEX by_key key TYPE bloom_filter(0.01) GRANULARITY 1,
    CONSTRAINT identified CHECK lane != '' AND workflow != '' AND key != ''
)
ENGINE = ReplacingMergeTree(rev)
PARTITION BY bitAnd(intDiv(run_ms, 86400000), 31)
ORDER BY (lane, workflow, key, run_ms)
SETTINGS index_granularity = 2048, min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1;

-- Transitions by time, since every screen asks for a span of it. An event has one time, so `at_ms` belongs to the identity as the day did.
CREATE TABLE IF NOT EXISTS transitions_by_time
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
    inserted_at    DateTime('UTC') DEFAULT now() CODEC(Delta, ZSTD(1)),
    day            Int32 ALIAS toInt32(intDiv(at_ms, 86400000)),
    at             DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(at_ms, 'UTC'),
    INDEX by_key key TYPE bloom_filter(0.01) GRANULARITY 1,
    CONSTRAINT identified CHECK lane != '' AND workflow != '' AND key != '' AND event_id != ''
)
ENGINE = ReplacingMergeTree
ORDER BY (lane, workflow, at_ms, key, source, event_id);

INSERT INTO items_by_day
    (lane, workflow, version, rule_hash, key, run_ms, status, step, started_ms, updated_ms, ended_ms, events, missing, late, other, overdue,
     next_due_ms, pending, groups, amount, rev, inserted_at, reason, forecast)
SELECT
    lane, workflow, version, rule_hash, key, run_ms, status, step, started_ms, updated_ms, ended_ms, events, missing, late, other, overdue,
    next_due_ms, pending, groups, amount, rev, inserted_at, reason, forecast
FROM items FINAL
SETTINGS max_execution_time = 0;

INSERT INTO transitions_by_time
    (lane, workflow, version, key, event_id, source, event_type, step, previous, at_ms, previous_at_ms, duration_ms, queue_ms, work_ms,
     groups, inserted_at)
SELECT
    lane, workflow, version, key, event_id, source, event_type, step, previous, at_ms, previous_at_ms, duration_ms, queue_ms, work_ms,
    groups, inserted_at
FROM transitions FINAL
SETTINGS max_execution_time = 0;
