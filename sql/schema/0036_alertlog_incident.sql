-- In which episode of its alert an entry was written, which begins at `opened_ms`, and of which incident the alert was then: alerts come
-- back, and are of other incidents later. Of entries from before neither is known.
ALTER TABLE alertlog
    ADD COLUMN IF NOT EXISTS opened_ms Int64 CODEC(Delta, ZSTD(1)),
    ADD COLUMN IF NOT EXISTS incident String CODEC(ZSTD(1)),
    ADD INDEX IF NOT EXISTS by_incident incident TYPE bloom_filter(0.01) GRANULARITY 1;
