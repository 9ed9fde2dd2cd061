-- Of a person: what became of the alerts about them. Erased before the alerts are, by which it is found.
alert IN
(
    SELECT id FROM alerts
    WHERE if({kind:String} = 'key', key = {value:String}, key = {value:String} OR has(mapValues(groups), {value:String}))
)
