-- What people wrote about alerts, and who they were.
-- Twice, since the sign between two neighbours is found with the first of them.
ALTER TABLE alertlog UPDATE
    who = replaceRegexpAll(replaceRegexpAll(who, {pattern:String}, '\\1[erased]\\2'), {pattern:String}, '\\1[erased]\\2'),
    why = replaceRegexpAll(replaceRegexpAll(why, {pattern:String}, '\\1[erased]\\2'), {pattern:String}, '\\1[erased]\\2')
WHERE match(who, {pattern:String})
   OR match(why, {pattern:String})
SETTINGS mutations_sync = 2, max_execution_time = 3600
