-- Events with the values of the groups that somebody is limited to. An event names no workflow: it is of those that it moved an item of, within
-- the span of time that is asked for. Places are compared by a digest of 128 bits, which takes a tenth of the memory.
(JSONType(unhex('{limits}'), 'workflows') = 'Null'
    OR (time_ms, sipHash128(lane, source, id)) IN
       (
           SELECT at_ms, sipHash128(lane, source, event_id) FROM transitions
           WHERE at_ms >= {since} AND at_ms < {until}
             AND has(JSONExtract(unhex('{limits}'), 'workflows', 'Array(String)'), workflow)
       ))
AND arrayAll(g -> has(g.2, groups[g.1]), JSONExtractKeysAndValues(unhex('{limits}'), 'groups', 'Array(String)'))
