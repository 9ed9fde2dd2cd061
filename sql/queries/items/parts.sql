-- What each partition of the items is made of. A part never changes: while these names are the same, so is what is in the partition.
SELECT partition_id AS partition, arrayStringConcat(arraySort(groupArray(name)), ' ') AS parts
FROM system.parts
WHERE active AND database = currentDatabase() AND table = 'items'
GROUP BY partition_id
