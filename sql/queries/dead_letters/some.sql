-- Dead letters by their places in Kafka.
SELECT topic, partition, offset, reason, detail, raw
FROM dead_letters FINAL
WHERE topic IN {topics:Array(String)} AND (topic, partition, offset) IN arrayZip({topics:Array(String)}, {partitions:Array(Int32)}, {offsets:Array(Int64)})
ORDER BY topic, partition, offset
