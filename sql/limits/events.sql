-- Events with the values of the groups that somebody is limited to. An event names no workflow: it is of those that it moved an item of, within
-- the span of time that is asked for, and at its `instants` where only few events fit. Names are compared by a digest of 128 bits, which takes a
-- tenth of the memory.
(JSONType(unhex('{limits}'), 'workflows') = 'Null'
    OR sipHash128(lane, source, id) IN
       (
           SELECT sipHash128(lane, source, event_id) FROM transitions
           WHERE at_ms >= {since} AND at_ms < {until}{instants}
             AND {workflows}
       ))
AND {groups}
