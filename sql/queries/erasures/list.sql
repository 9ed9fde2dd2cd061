-- What was erased, the newest first.
SELECT kind, digest, at_ms FROM erasures FINAL ORDER BY at_ms DESC, kind, digest
