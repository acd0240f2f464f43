-- Whether the name $2 of a thing of kind $1 is looked for in column $4 of table $3 (an oid): what looks like an e-mail only in those of
-- users where these have some, though this role may not read them. A display name is what people choose.
SELECT $4 = 'email' OR $1 <> 'user' OR strpos($2, '@') = 0
       OR NOT EXISTS (
            SELECT FROM pg_attribute AS a
             WHERE a.attname = 'email' AND NOT a.attisdropped
               AND (a.attrelid = $3 OR a.attrelid IN (
                    SELECT k.confrelid
                      FROM sessiondb.installation AS i
                      JOIN pg_constraint AS k ON k.contype = 'f' AND k.conrelid = to_regclass(format('%I.org_members', i.platform_schema))
                      JOIN pg_attribute AS u ON u.attrelid = k.conrelid AND u.attname = 'user_id' AND k.conkey = ARRAY[u.attnum])))
