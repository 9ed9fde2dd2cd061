-- What is at stake with the item that a finding is about, as its rule's mapping names it. Null where there is no item, or it has no amount.
ALTER TABLE findings ADD COLUMN IF NOT EXISTS amount Nullable(Float64) CODEC(ZSTD(1));
