-- One page of incidents, the newest first.
SELECT id, lane, state, priority, title, cause, evidence, opened_ms, resolved_ms, alerts, items, groups, value, note, note_ms, public, rev
FROM incidents FINAL
WHERE ({state:String} = '' OR state = {state:String})
  AND ({lane:String} = '' OR lane = {lane:String})
  AND ({priority:String} = '' OR priority = {priority:String})
  AND opened_ms >= {since_ms:Int64} AND opened_ms < {until_ms:Int64}
  AND ({resumed:UInt8} = 0 OR (opened_ms, id) < ({after_ms:Int64}, {after_id:String}))
ORDER BY opened_ms DESC, id DESC
LIMIT {limit:UInt32}
