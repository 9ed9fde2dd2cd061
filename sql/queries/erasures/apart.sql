-- The events that are erased under a key that is not.
SELECT lane, source, id FROM events WHERE key NOT IN {values:Array(String)} AND
