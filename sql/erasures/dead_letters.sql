-- Of a person: the record's bytes can't be read, so any that hold the text count.
position(tryBase64Decode(raw), {value:String}) > 0 OR position(tryBase64Decode(raw), {escaped:String}) > 0
OR position(detail, {value:String}) > 0
