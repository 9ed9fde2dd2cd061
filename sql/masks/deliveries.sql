-- Whom a message went to, and what the other side said of it.
-- Twice, since the sign between two neighbours is found with the first of them.
ALTER TABLE deliveries UPDATE
    person = replaceRegexpAll(replaceRegexpAll(person, {pattern:String}, '\\1[erased]\\2'), {pattern:String}, '\\1[erased]\\2'),
    address = replaceRegexpAll(replaceRegexpAll(address, {pattern:String}, '\\1[erased]\\2'), {pattern:String}, '\\1[erased]\\2'),
    detail = replaceRegexpAll(replaceRegexpAll(detail, {pattern:String}, '\\1[erased]\\2'), {pattern:String}, '\\1[erased]\\2')
WHERE match(person, {pattern:String})
   OR match(address, {pattern:String})
   OR match(detail, {pattern:String})
SETTINGS mutations_sync = 2, max_execution_time = 3600
