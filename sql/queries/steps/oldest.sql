-- What has waited longest at a step, and what is due next there.
SELECT lane, workflow, key, run_ms, updated_ms, next_due_ms, overdue, groups, amount
FROM items FINAL
WHERE lane = {lane:String} AND workflow = {workflow:String} AND status = 'in_flight' AND step = {step:String}
  AND ({group_name:String} = '' OR groups[{group_name:String}] = {group_value:String})
ORDER BY
    if({by_due:UInt8} = 1, ifNull(next_due_ms, 9007199254740991), updated_ms), key, run_ms
LIMIT {limit:UInt32}
