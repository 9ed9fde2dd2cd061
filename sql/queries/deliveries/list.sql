-- One page of attempts to tell somebody, the latest first.
SELECT id, attempt, at_ms, took_ms, channel, type, person, address, outcome, status, detail,
       arraySlice(d.alerts, 1, 1000) AS alerts, reason, lane
FROM deliveries AS d FINAL
WHERE ({id:String} = '' OR id = {id:String})
  AND ({alert:String} = '' OR has(d.alerts, {alert:String}))
  AND ({channel:String} = '' OR channel = {channel:String})
  AND ({person:String} = '' OR person = {person:String})
  AND ({outcome:String} = '' OR outcome = {outcome:String})
  AND ({lane:String} = '' OR lane = {lane:String})
  AND at_ms >= {since_ms:Int64} AND at_ms < {until_ms:Int64}
  AND ({resumed:UInt8} = 0 OR (at_ms, id, attempt) < ({after_ms:Int64}, {after_id:String}, {after_attempt:Int64}))
ORDER BY at_ms DESC, id DESC, attempt DESC
LIMIT {limit:UInt32}
