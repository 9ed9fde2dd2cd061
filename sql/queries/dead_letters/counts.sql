-- Unreadable records by lane and reason.
SELECT lane, reason, count() AS records FROM dead_letters FINAL GROUP BY lane, reason ORDER BY lane, reason
