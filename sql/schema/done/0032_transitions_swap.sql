-- Whether the tables have changed places: the new one lies by time.
SELECT 1 FROM system.tables WHERE database = currentDatabase() AND name = 'transitions' AND startsWith(sorting_key, 'lane, workflow, at_ms')
