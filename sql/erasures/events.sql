-- Of a person: by the key, by having moved nothing but their items, or by a value that the record holds (a text as JSON writes it, or a
-- number), or a group.
key IN {values:Array(String)}
OR if({kind:String} = 'key',
      (lane, source, id) IN
      (
          SELECT lane, source, event_id
          FROM transitions
          WHERE (lane, source, event_id) IN (SELECT lane, source, event_id FROM transitions WHERE key IN {values:Array(String)})
          GROUP BY lane, source, event_id
          HAVING countIf(key NOT IN {values:Array(String)}) = 0
      ),
      hasAny(mapValues(groups), {values:Array(String)})
          OR multiSearchAny(data, {quoted:Array(String)})
          OR match(data, {number:String}))
