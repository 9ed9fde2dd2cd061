-- Events for a file, the oldest first. `guarded` is for CSV: a text that a spreadsheet would take for a formula gets an apostrophe ahead.
WITH x -> if({guarded:UInt8} AND match(x, '^[=+@\\t\\r\\n-]'), concat('\'', x), x) AS said
SELECT lane, said(source) AS source, said(id) AS id, said(type) AS type, time_ms, received_ms, key_name, said(key) AS key, groups, said(data) AS data,
       truncated, duplicate, topic, partition, offset
FROM
(
    SELECT lane, source, id, type, time_ms, received_ms, key_name, key, toJSONString(groups) AS groups, data, truncated, duplicate, topic, partition, offset
    FROM events FINAL
    WHERE lane = {lane:String}
      AND time_ms >= {since_ms:Int64} AND time_ms < {until_ms:Int64}
      AND ({type:String} = '' OR type = {type:String})
      AND ({source:String} = '' OR source = {source:String})
      AND ({key:String} = '' OR key = {key:String})
      AND ({id:String} = '' OR id = {id:String})
      AND ({pattern:String} = '' OR lower(data) LIKE {pattern:String})
    ORDER BY lane, time_ms, source, id
    LIMIT {limit:UInt32}
)
ORDER BY lane, time_ms, source, id
