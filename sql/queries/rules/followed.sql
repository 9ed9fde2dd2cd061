-- Whether the job has followed items by a rule since a refusal was told: then it was started anew, and can run the rule now.
SELECT 1 AS followed
FROM items
WHERE lane = {lane:String} AND workflow = {workflow:String} AND rule_hash = {rule_hash:String}
  AND inserted_at > fromUnixTimestamp({known_s:UInt32})
LIMIT 1
