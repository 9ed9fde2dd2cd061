-- Events with the values of the groups that somebody is limited to. An event names no workflow: it is of those that it moved an item of.
(JSONType(unhex('{limits}'), 'workflows') = 'Null'
    OR (lane, source, id) IN
       (
           SELECT lane, source, event_id FROM transitions
           WHERE has(JSONExtract(unhex('{limits}'), 'workflows', 'Array(String)'), workflow)
       ))
AND arrayAll(g -> has(g.2, groups[g.1]), JSONExtractKeysAndValues(unhex('{limits}'), 'groups', 'Array(String)'))
