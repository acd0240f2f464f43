-- What follows the right operand, $1 or nothing, and the collation that the comparison of a column of collation $2 with one of collation
-- $3 has, where these differ: that of the column that is referred to. NULL if nothing follows.
SELECT nullif(concat($1, (
           SELECT format(' COLLATE %I.%I', n.nspname, l.collname)
             FROM pg_collation AS l JOIN pg_namespace AS n ON n.oid = l.collnamespace
            WHERE l.oid = $2 AND $3 NOT IN (0, l.oid))), '')
