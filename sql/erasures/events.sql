-- Of a person: by the key, or by a text that the record holds as a value (as JSON writes it), or a group.
if({kind:String} = 'key', key = {value:String},
   key = {value:String} OR has(mapValues(groups), {value:String}) OR position(data, {quoted:String}) > 0)
