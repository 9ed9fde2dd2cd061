ALTER TABLE {table:Identifier} DELETE WHERE
