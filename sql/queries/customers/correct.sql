-- Of how many items of one value of a group somebody said that they were right, and how many had to be put right. One that was both is the latter.
SELECT countIf(right AND NOT wrong) AS confirmed, countIf(wrong) AS corrected
FROM
(
    SELECT key, max(has({confirmed:Array(String)}, step)) AS right, max(has({corrected:Array(String)}, step)) AS wrong
    FROM transitions FINAL
    WHERE lane = {lane:String} AND workflow = {workflow:String} AND groups[{group_name:String}] = {group_value:String}
      AND at_ms >= {since_ms:Int64} AND at_ms < {until_ms:Int64}
      AND (has({confirmed:Array(String)}, step) OR has({corrected:Array(String)}, step))
    GROUP BY key
)
