-- Where 0033 was killed between its last two statements.
DROP TABLE IF EXISTS items_by_day;
DROP TABLE IF EXISTS transitions_by_time;
