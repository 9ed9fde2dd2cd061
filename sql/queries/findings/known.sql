-- Which of some findings are stored, and when each was over.
SELECT id, at_ms
FROM findings FINAL
WHERE lane = {lane:String} AND deadline_ms IN {instants:Array(Int64)} AND id IN {ids:Array(String)}
LIMIT {limit:UInt32}
