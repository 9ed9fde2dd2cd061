-- Whether the tables have changed places: the new one lies in partitions.
SELECT 1 FROM system.tables WHERE database = currentDatabase() AND name = 'items' AND partition_key != ''
