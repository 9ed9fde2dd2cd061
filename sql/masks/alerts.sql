-- Alerts that go on name a person nowhere.
-- Twice, since the sign between two neighbours is found with the first of them.
ALTER TABLE alerts UPDATE
    summary = replaceRegexpAll(replaceRegexpAll(summary, {pattern:String}, '\\1[erased]\\2'), {pattern:String}, '\\1[erased]\\2'),
    because = replaceRegexpAll(replaceRegexpAll(because, {pattern:String}, '\\1[erased]\\2'), {pattern:String}, '\\1[erased]\\2'),
    occurrence = replaceRegexpAll(replaceRegexpAll(occurrence, {pattern:String}, '\\1[erased]\\2'), {pattern:String}, '\\1[erased]\\2'),
    assignee = replaceRegexpAll(replaceRegexpAll(assignee, {pattern:String}, '\\1[erased]\\2'), {pattern:String}, '\\1[erased]\\2'),
    acked_by = replaceRegexpAll(replaceRegexpAll(acked_by, {pattern:String}, '\\1[erased]\\2'), {pattern:String}, '\\1[erased]\\2'),
    suppressed_by = replaceRegexpAll(replaceRegexpAll(suppressed_by, {pattern:String}, '\\1[erased]\\2'), {pattern:String}, '\\1[erased]\\2')
WHERE match(summary, {pattern:String})
   OR match(because, {pattern:String})
   OR match(occurrence, {pattern:String})
   OR match(assignee, {pattern:String})
   OR match(acked_by, {pattern:String})
   OR match(suppressed_by, {pattern:String})
SETTINGS mutations_sync = 2, max_execution_time = 3600
