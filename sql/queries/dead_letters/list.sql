-- One page of records that could not be read, the newest first.
SELECT lane, topic, partition, offset, received_ms, reason, detail, raw
FROM dead_letters FINAL
WHERE ({lane:String} = '' OR lane = {lane:String})
  AND ({reason:String} = '' OR reason = {reason:String})
  AND ({resumed:UInt8} = 0
       OR (received_ms, topic, partition, offset) < ({after_ms:Int64}, {after_topic:String}, {after_partition:Int32}, {after_offset:Int64}))
ORDER BY received_ms DESC, topic DESC, partition DESC, offset DESC
LIMIT {limit:UInt32}
