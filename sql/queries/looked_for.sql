-- Whether the name $2 of a thing of kind $1 is looked for in column $4 of table $3 (an oid): what looks like an e-mail only among
-- e-mails, or among logins where users have no e-mails, here or in a table that this role may not read. A display name is what people
-- choose.
SELECT $4 = 'email' OR $1 <> 'user' OR strpos($2, '@') = 0
       OR $4 IN ('username', 'login') AND NOT EXISTS (
            WITH RECURSIVE of_users (relid) AS (
                SELECT $3::oid
                 UNION
                SELECT k.confrelid
                  FROM sessiondb.installation AS i
                 CROSS JOIN unnest(ARRAY['org_members', 'enrollments', 'submissions']) AS t (name)
                  JOIN pg_constraint AS k ON k.contype = 'f' AND k.conrelid = to_regclass(format('%I.%I', i.platform_schema, t.name))
                  JOIN pg_attribute AS u ON u.attrelid = k.conrelid AND u.attname = 'user_id' AND k.conkey = ARRAY[u.attnum]
                 UNION
                -- of a profile, to its user
                SELECT k.confrelid
                  FROM of_users AS o
                  JOIN pg_constraint AS p ON p.conrelid = o.relid AND p.contype = 'p'
                  JOIN pg_constraint AS k ON k.conrelid = o.relid AND k.contype = 'f' AND k.conkey = p.conkey
            )
            SELECT FROM of_users AS o JOIN pg_attribute AS a ON a.attrelid = o.relid AND a.attname = 'email' AND NOT a.attisdropped)
