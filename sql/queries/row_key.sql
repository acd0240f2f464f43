-- The columns that identify a row of the table $1 (an oid), quoted: those of its primary key, or of a unique index whose
-- columns are all NOT NULL; NULL if there is neither. Not one that is DEFERRABLE, because two rows may have the same key for a
-- moment, nor with a generated column, which a BEFORE trigger does not see, nor one that distinguishes values that are equal for
-- the type and collation of the column, with which they are compared.
SELECT array_agg(quote_ident(a.attname) ORDER BY k.place)
  FROM (
        SELECT x.indrelid, x.indkey, x.indnkeyatts
          FROM pg_index AS x
         WHERE x.indrelid = $1
           AND x.indisunique AND x.indisvalid AND x.indimmediate AND x.indpred IS NULL AND x.indexprs IS NULL
           AND NOT EXISTS (
                SELECT FROM pg_attribute AS g
                 WHERE g.attrelid = x.indrelid AND g.attnum = ANY (x.indkey) AND g.attgenerated <> '')
           AND NOT EXISTS (
                SELECT FROM unnest(x.indkey::smallint[], x.indclass::oid[], x.indcollation::oid[]) AS f (attnum, opclass, collated)
                  JOIN pg_attribute AS v ON v.attrelid = x.indrelid AND v.attnum = f.attnum
                 CROSS JOIN LATERAL ({equal(v.atttypid)}) AS e
                 WHERE f.collated <> v.attcollation
                   AND EXISTS (SELECT FROM pg_collation AS l WHERE l.oid = v.attcollation AND NOT l.collisdeterministic)
                    OR EXISTS (
                        SELECT FROM pg_opclass AS c
                          JOIN pg_am AS am ON am.oid = c.opcmethod AND am.amname = 'btree'
                          JOIN pg_amop AS m ON m.amopfamily = c.opcfamily AND m.amopstrategy = 3
                           AND m.amoplefttype = c.opcintype AND m.amoprighttype = c.opcintype
                         CROSS JOIN LATERAL ({operator(m.amopopr)}) AS o
                         WHERE c.oid = f.opclass AND (o.operator, o.right_cast) IS DISTINCT FROM (e.operator, e.right_cast)))
           AND (x.indisprimary OR NOT EXISTS (
                SELECT FROM pg_attribute AS n
                 WHERE n.attrelid = x.indrelid AND n.attnum = ANY (x.indkey) AND NOT n.attnotnull))
         ORDER BY x.indisprimary DESC, x.indexrelid
         LIMIT 1
       ) AS u
 CROSS JOIN unnest(u.indkey::smallint[]) WITH ORDINALITY AS k (attnum, place)
  JOIN pg_attribute AS a ON a.attrelid = u.indrelid AND a.attnum = k.attnum
 WHERE k.place <= u.indnkeyatts
