-- Of a person: the record's bytes can't be read, so any that hold the text count.
multiSearchAny(tryBase64Decode(raw), {anywhere:Array(String)}) OR multiSearchAny(detail, {anywhere:Array(String)})
