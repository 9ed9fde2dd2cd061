-- Which of some incidents there are, for whoever asks.
SELECT id FROM incidents FINAL WHERE id IN {ids:Array(String)}
