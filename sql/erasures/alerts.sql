-- Of a person: by the key, or by a group's value.
if({kind:String} = 'key', key = {value:String}, key = {value:String} OR has(mapValues(groups), {value:String}))
