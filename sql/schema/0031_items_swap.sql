-- A file of its own, since this is the one statement that does another thing when it is run twice: it would put the old table back, which
-- has the same rows and is only slower.
EXCHANGE TABLES items AND items_by_day;
