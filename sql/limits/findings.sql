-- Findings of the workflows, and with the values of the groups, that somebody is limited to. A source that is blind has no groups, and is
-- everybody's whose workflows it feeds: without it, silence would look green.
if(kind = 'blind' AND workflow = '',
   JSONType(unhex('{limits}'), 'workflows') = 'Null'
       OR hasAny(splitByChar(',', occurrence), JSONExtract(unhex('{limits}'), 'workflows', 'Array(String)')),
   {workflows}
       AND {groups})
