-- When events were that fit, in no order. What is shown to nobody: it tells where to look for the events that somebody limited may see.
SELECT DISTINCT time_ms
FROM events
WHERE ({lane:String} = '' OR lane = {lane:String})
  AND time_ms >= {since_ms:Int64} AND time_ms < {until_ms:Int64}
  AND ({type:String} = '' OR type = {type:String})
  AND ({source:String} = '' OR source = {source:String})
  AND ({key:String} = '' OR key = {key:String})
  AND ({id:String} = '' OR id = {id:String})
  AND ({pattern:String} = '' OR lower(data) LIKE {pattern:String})
LIMIT {limit:UInt32}
