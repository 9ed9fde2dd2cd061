-- Why an item was closed while it was open: its workflow was disabled, withdrawn, or changed so that nothing of it is left.
ALTER TABLE items ADD COLUMN IF NOT EXISTS reason LowCardinality(String) DEFAULT '';
