-- Records of others that name a person: numbers become a text, so that it stays JSON.
-- Twice, since the sign between two neighbours is found with the first of them.
ALTER TABLE events UPDATE
    data = replaceRegexpAll(replaceRegexpAll(
        replaceRegexpAll(replaceRegexpAll(data, {number:String}, '\\1"[erased]"\\2'), {number:String}, '\\1"[erased]"\\2'),
        {pattern:String}, '\\1[erased]\\2'), {pattern:String}, '\\1[erased]\\2')
WHERE multiSearchAny(data, {anywhere:Array(String)}) AND match(data, {pattern:String})
SETTINGS mutations_sync = 2, max_execution_time = 3600
