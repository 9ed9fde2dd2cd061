ALTER TABLE {table:Identifier} MODIFY TTL inserted_at + toIntervalDay({days:UInt32})
