-- Whether all was fetched: only then is the first of the two tables dropped. What may be left is dropped by 0034.
SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM system.tables WHERE database = currentDatabase() AND name = 'items_by_day')
