-- What a prediction goes by, of deadlines that wait: when its clock started, and how long its step took so far (ms at 50, 75, 90, 95 and 99 percent).
ALTER TABLE items ADD COLUMN IF NOT EXISTS forecast Array(Tuple(id String, due_ms Int64, since_ms Int64, quantiles Array(Int64))) CODEC(ZSTD(1));
