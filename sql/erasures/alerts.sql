-- Of a person: by the key, or by a group's value.
key IN {values:Array(String)} OR ({kind:String} = 'value' AND hasAny(mapValues(groups), {values:Array(String)}))
