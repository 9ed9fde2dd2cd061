-- When something left a step for the first time after an instant, if it did.
SELECT min(at_ms) AS left_ms
FROM transitions FINAL
WHERE lane = {lane:String} AND workflow = {workflow:String} AND previous = {step:String}
  AND at_ms > {since_ms:Int64} AND at_ms <= {watermark_ms:Int64}
HAVING count() > 0
