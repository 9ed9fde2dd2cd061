-- What an incident is called, what speaks for its cause, and what people wrote about it.
-- Twice, since the sign between two neighbours is found with the first of them.
ALTER TABLE incidents UPDATE
    title = replaceRegexpAll(replaceRegexpAll(title, {pattern:String}, '\\1[erased]\\2'), {pattern:String}, '\\1[erased]\\2'),
    cause = replaceRegexpAll(replaceRegexpAll(cause, {pattern:String}, '\\1[erased]\\2'), {pattern:String}, '\\1[erased]\\2'),
    note = replaceRegexpAll(replaceRegexpAll(note, {pattern:String}, '\\1[erased]\\2'), {pattern:String}, '\\1[erased]\\2'),
    evidence = arrayMap(x -> replaceRegexpAll(replaceRegexpAll(x, {pattern:String}, '\\1[erased]\\2'), {pattern:String}, '\\1[erased]\\2'), evidence),
    groups = mapApply((k, v) -> (k, arrayMap(x -> replaceRegexpAll(replaceRegexpAll(x, {pattern:String}, '\\1[erased]\\2'), {pattern:String}, '\\1[erased]\\2'), v)), groups)
WHERE match(title, {pattern:String})
   OR match(cause, {pattern:String})
   OR match(note, {pattern:String})
   OR arrayExists(x -> match(x, {pattern:String}), evidence)
   OR arrayExists(x -> match(x, {pattern:String}), arrayFlatten(mapValues(groups)))
SETTINGS mutations_sync = 2, max_execution_time = 3600
