-- By when each alert should be answered, and when it was first. Of alerts from before neither is known.
ALTER TABLE alerts
    ADD COLUMN IF NOT EXISTS respond_by_ms Nullable(Int64) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS answered_ms Nullable(Int64) CODEC(ZSTD(1));
