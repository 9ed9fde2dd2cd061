-- What became of the alerts that somebody with limits sees.
alert IN
(
    SELECT id FROM alerts FINAL
    WHERE (JSONType(unhex('{limits}'), 'workflows') = 'Null' OR has(JSONExtract(unhex('{limits}'), 'workflows', 'Array(String)'), workflow))
      AND arrayAll(g -> has(g.2, groups[g.1]), JSONExtractKeysAndValues(unhex('{limits}'), 'groups', 'Array(String)'))
)
