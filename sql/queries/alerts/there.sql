-- Which of these alerts are there: for somebody with limits, those that they may see.
SELECT DISTINCT id FROM alerts FINAL WHERE id IN {ids:Array(String)}
