-- Incidents all of whose alerts somebody with limits sees: what is said of one is said of all its alerts.
id IN
    (
         SELECT incident FROM alerts
         WHERE (JSONType(unhex('{limits}'), 'workflows') = 'Null' OR has(JSONExtract(unhex('{limits}'), 'workflows', 'Array(String)'), workflow))
         AND arrayAll(g -> has(g.2, groups[g.1]), JSONExtractKeysAndValues(unhex('{limits}'), 'groups', 'Array(String)'))
    )
AND id NOT IN
    (
         SELECT incident FROM alerts
         WHERE NOT ((JSONType(unhex('{limits}'), 'workflows') = 'Null' OR has(JSONExtract(unhex('{limits}'), 'workflows', 'Array(String)'), workflow))
         AND arrayAll(g -> has(g.2, groups[g.1]), JSONExtractKeysAndValues(unhex('{limits}'), 'groups', 'Array(String)')))
    )
