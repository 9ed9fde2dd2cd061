-- Alerts of the workflows, and with the values of the groups, that somebody is limited to.
(JSONType(unhex('{limits}'), 'workflows') = 'Null' OR has(JSONExtract(unhex('{limits}'), 'workflows', 'Array(String)'), workflow))
AND arrayAll(g -> has(g.2, groups[g.1]), JSONExtractKeysAndValues(unhex('{limits}'), 'groups', 'Array(String)'))
