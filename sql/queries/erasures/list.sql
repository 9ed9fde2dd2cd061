-- What was erased, the newest first: keys, values, and events whose key stays.
SELECT kind, digest, at_ms FROM erasures FINAL ORDER BY at_ms DESC, kind, digest
