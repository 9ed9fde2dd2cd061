-- Of a person: what became of the alerts about them. Erased before the alerts are, by which it is found.
alert IN
(
    SELECT id FROM alerts
    WHERE key IN {values:Array(String)} OR ({kind:String} = 'value' AND hasAny(mapValues(groups), {values:Array(String)}))
)
