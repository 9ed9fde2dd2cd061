-- Which rule documents, by the SHA-256 of their bytes, the job of a lane has refused, and why.
SELECT digest, argMax(detail, offset) AS said, max(received_ms) AS at_ms, toUnixTimestamp(max(inserted_at)) AS known_s
FROM
(
    SELECT lower(hex(SHA256(tryBase64Decode(raw)))) AS digest, detail, offset, received_ms, inserted_at
    FROM dead_letters
    WHERE topic = {topic:String} AND lane = {lane:String}
)
WHERE digest IN {digests:Array(String)}
GROUP BY digest
